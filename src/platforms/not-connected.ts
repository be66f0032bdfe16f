/** No socket was opened, for a reason of ours: the message is our own text, and may be logged. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}
