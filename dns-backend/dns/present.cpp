#include "dns-backend/dns/present.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace dns {
namespace {

// A to ZONEMD of PowerDNS's own list, in the order of their numbers.
constexpr std::array<std::uint16_t, 52> powerdns_types{
    1,  2,  5,  6,  7,  8,  9,  12, 13, 14, 15, 16, 17, 18, 25, 28, 29, 33,  35,  36,  37,  39,  42,  43,  44,  45,
    46, 47, 48, 49, 50, 51, 52, 53, 57, 59, 60, 61, 62, 63, 64, 65, 99, 104, 105, 106, 107, 108, 109, 256, 257, 32769};

std::string type_text(RRType type, TypeNames names) {
  return names == TypeNames::mnemonics ? to_text(type) : "TYPE" + std::to_string(type.value);
}

// The wire form is walked, since ldns leaves '"', '@' and '$' as they are.
std::string name_text(ldns_rdf const& field) {
  std::uint8_t const* const octets = ldns_rdf_data(&field);
  std::size_t const size = ldns_rdf_size(&field);
  std::string text;
  for (std::size_t at = 0; at < size && octets[at] != 0;) {
    std::size_t const end = std::min<std::size_t>(at + 1 + octets[at], size);
    for (++at; at < end; ++at) {
      append_escaped(text, static_cast<char>(octets[at]));
    }
    text.push_back('.');
  }
  return text.empty() ? "." : text;
}

// A list of types as ldns prints it, in our words.
std::string types_text(std::string const& printed, TypeNames names) {
  std::istringstream words(printed);
  std::string text;
  for (std::string word; words >> word;) {
    auto const type = parse_type(word);
    text += (text.empty() ? "" : " ") + (type ? type_text(*type, names) : word);
  }
  return text;
}

std::optional<std::string> field_text(ldns_rdf const& field, TypeNames names) {
  switch (ldns_rdf_get_type(&field)) {
    case LDNS_RDF_TYPE_DNAME:
      return name_text(field);
    case LDNS_RDF_TYPE_TYPE:
      return type_text({ldns_rdf2native_int16(&field)}, names);
    case LDNS_RDF_TYPE_CERT_ALG:
      return std::to_string(ldns_rdf2native_int16(&field));  // PowerDNS reads numbers only
    default:
      break;
  }
  TextPtr const printed(ldns_rdf2str(&field));
  if (printed == nullptr) {
    return std::nullopt;
  }
  std::string text(printed.get());
  if (ldns_rdf_get_type(&field) == LDNS_RDF_TYPE_BITMAP || ldns_rdf_get_type(&field) == LDNS_RDF_TYPE_NSEC) {
    return types_text(text, names);
  }
  while (text.ends_with(' ')) {
    text.pop_back();
  }
  return text;
}

}  // namespace

bool is_known_to_powerdns(RRType type) {
  return std::binary_search(powerdns_types.begin(), powerdns_types.end(), type.value) || type == type_alias ||
         type == type_lua;
}

std::optional<std::string> present(ldns_rr const& record, TypeNames names) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    auto const part = field_text(*ldns_rr_rdf(&record, i), names);
    if (!part) {
      return std::nullopt;
    }
    text += text.empty() || part->empty() ? "" : " ";
    text += *part;
  }
  return text.empty() ? "\\# 0" : text;
}

std::string present_generic(ldns_rr const& record) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t size = 0;
  std::string hex;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    ldns_rdf const* const field = ldns_rr_rdf(&record, i);
    size += ldns_rdf_size(field);
    for (std::size_t at = 0; at < ldns_rdf_size(field); ++at) {
      hex.push_back(digits[ldns_rdf_data(field)[at] >> 4U]);
      hex.push_back(digits[ldns_rdf_data(field)[at] & 15U]);
    }
  }
  return "\\# " + std::to_string(size) + (hex.empty() ? "" : " ") + hex;
}

}  // namespace dns
