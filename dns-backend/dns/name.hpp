// An absolute domain name: valid by construction, lower case, presentation form with a final dot (RFC 1035, 4343).
//
// Escapes follow RFC 1035 5.1 (`\.`, `\\`, `\DDD`); names with spaces and 8-bit octets are legal. Length limits (63
// octets a label, 255 a name in wire form) are enforced. text() also escapes what a master file gives a meaning (`" ; (
// ) @ $`), so that it may be written anywhere as it is. libidn2 is used in name.cpp only.
//
// Threads: immutable value.
#pragma once

#include "base/result/result.hpp"

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace dns {

enum class errc {
  bad_name = 1,  // not a domain name; the detail says why
  bad_type,      // unknown RR type mnemonic
  bad_rdata,     // the content is no valid rdata of its type
  not_in_zone,   // the owner lies outside the zone
  conflict,      // CNAME beside other data, duplicate SOA, ...
};
boost::system::error_code make_error_code(errc code);

class Name {
 public:
  Name() = default;  // the root "."
  // Accepts with and without the final dot; U-labels are converted (IDNA2008, libidn2).
  static base::Result<Name> parse(std::string_view text);
  // As in a master file: "@" is the origin, and what has no final dot lies below it.
  static base::Result<Name> parse(std::string_view text, Name const& origin);

  [[nodiscard]] std::string const& text() const { return text_; }  // "www.example.org."
  // Octets that sort like RFC 4034 6.1 canonical order under memcmp: labels from the right, each ended by 0x00 0x00
  // (an octet 0x00 inside a label is written 0x00 0x01).
  [[nodiscard]] std::string const& key() const { return key_; }
  [[nodiscard]] bool is_root() const { return text_ == "."; }
  [[nodiscard]] std::size_t labels() const { return labels_; }
  [[nodiscard]] Name parent() const;                         // root of root is root
  [[nodiscard]] bool is_within(Name const& ancestor) const;  // equal counts
  [[nodiscard]] bool is_wildcard() const { return text_.starts_with("*."); }
  // "www." for www.example.org. in example.org.; "." for the apex. ASSERTs is_within.
  [[nodiscard]] std::string relative_to(Name const& apex) const;
  // Wire form (RFC 1035 3.1), lower case, uncompressed, the root's zero octet included: what digests are made of.
  [[nodiscard]] std::string wire() const;
  // label + "." + this. Fails when too long or `label` is no label.
  [[nodiscard]] base::Result<Name> child(std::string_view label) const;

  bool operator==(Name const& other) const { return key_ == other.key_; }
  std::strong_ordering operator<=>(Name const& other) const { return key_ <=> other.key_; }

 private:
  std::string text_ = ".";
  std::string key_;
  std::size_t labels_ = 0;
};

}  // namespace dns

template <>
struct boost::system::is_error_code_enum<dns::errc> : std::true_type {};
