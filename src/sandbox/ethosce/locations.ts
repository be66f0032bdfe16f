/** `field_profile_location`: one address, replaced as a whole, its province turned into a code. */
import { crash, Refusal } from './answers.ts'
import { checkCharacters } from './database.ts'
import { isRecord } from './property.ts'
import { provincesOf } from './provinces.ts'
import type { EthosceState, LocationRow } from './state.ts'

const defaultCountry = 'us'
const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

/** Unknown sub-keys and `phone` are dropped without a word. */
export function toLocation(state: EthosceState, value: unknown): LocationRow | undefined {
  if (value === null) return undefined
  if (!isRecord(value)) throw new Refusal(crash())
  const country = textOf(value.country) ?? defaultCountry
  if (country.length !== 2) throw new Refusal(crash())
  for (const part of ['street', 'additional', 'city', 'province', 'postal_code']) {
    checkCharacters(state, part, textOf(value[part]))
  }
  return {
    lid: state.locations.takeId(),
    street: textOf(value.street),
    additional: textOf(value.additional),
    city: textOf(value.city),
    province: toProvinceCode(country, textOf(value.province)),
    postal_code: textOf(value.postal_code),
    country,
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) || null : null
}

function toProvinceCode(country: string, province: string | null): string | null {
  if (province === null) return null
  for (const [code, name] of provincesOf(country)) {
    if (name.toLowerCase() === province.toLowerCase() || code.toLowerCase() === province.toLowerCase()) return code
  }
  return province
}

/** No address reads as an empty list. */
export function showLocation(location: LocationRow | undefined): object {
  if (location === undefined) return []
  const { lid, street, additional, city, province, postal_code, country } = location
  return {
    lid: String(lid),
    latitude: '0.000000',
    longitude: '0.000000',
    name: null,
    street,
    additional,
    city,
    province,
    postal_code,
    country,
    province_name: provincesOf(country).get(province ?? '') ?? null,
    country_name: countryName(country),
    phone: null,
    fax: null,
    email: null,
    www: null,
  }
}

function countryName(country: string): string | null {
  return /^[A-Za-z]{2}$/.test(country) ? (countryNames.of(country.toUpperCase()) ?? null) : null
}
