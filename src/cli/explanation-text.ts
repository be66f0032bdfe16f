import type { Json } from '../json.ts'
import type { AttributeExplanation, Explanation } from '../mapping/explain.ts'

/** An explanation as lines for a terminal. */
export function explanationText(explanation: Explanation): string {
  const { platform, active, attributes, status, grants, unmatchedGroups } = explanation
  const lines = [`${platform}, ${active ? 'active' : 'not active'}: ${JSON.stringify(status)}`]
  for (const attribute of attributes) lines.push('', ...attributeLines(attribute))
  if (grants.length > 0 || unmatchedGroups.length > 0) lines.push('', 'grants')
  for (const grant of grants) lines.push(`  ${JSON.stringify(grant)}`)
  for (const group of unmatchedGroups) lines.push(`  none for group ${group}`)
  return `${lines.join('\n')}\n`
}

function attributeLines(attribute: AttributeExplanation): string[] {
  const { policies, describe, inputs, steps, value, why } = attribute
  const lines = [`${attribute.attribute} = ${text(value)}${policies.length > 0 ? `   (${policies.join(', ')})` : ''}`]
  if (describe !== undefined) lines.push(`  ${describe}`)
  for (const input of inputs) lines.push(`  ${input.path}: ${text(input.value)}`)
  for (const step of steps) lines.push(`  after ${step.step}: ${text(step.value)}`)
  if (why !== undefined) lines.push(`  nothing, because: ${why}`)
  return lines
}

function text(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
