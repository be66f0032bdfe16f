import { unprocessable } from './answers.ts'

/** `authentication-password.regex-validation.pattern` as delivered. */
const passwordRule = /^.{8,}$/

export function requireGoodPassword(password: string): void {
  if (!passwordRule.test(password)) throw unprocessable('New password is invalid. Valid passwords must be longer.')
}
