/**
 * The form in which names and e-mails are compared: NFKC and lower case, so that `ÅSA@x`, `åsa@x` and a full-width
 * spelling are one. Normalised again at the end, because lower case of a composed letter may be decomposed.
 */
export function foldKey(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}
