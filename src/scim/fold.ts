/**
 * The form in which texts without caseExact are compared. The store folds its keys the same way, so that an index and a
 * test of the document agree. Normalised twice, because the lower case of a composed letter may be decomposed.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}
