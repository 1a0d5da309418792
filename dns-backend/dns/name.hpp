// An absolute domain name: valid by construction, lower case, presentation form with a final dot (RFC 1035, 4343).
//
// Escapes follow RFC 1035 5.1 (`\.`, `\\`, `\DDD`); names with spaces and 8-bit octets are legal. Length limits (63
// octets a label, 255 a name in wire form) are enforced. text() also escapes what a master file gives a meaning (`" ; (
// ) @ $`), so that it may be written anywhere as it is. libidn2 is used in name.cpp only.
//
// Threads: immutable value.
#pragma once

#include "base/result/result.hpp"

#include <array>
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

  // The name whose key() this is. ASSERTs that it is one.
  static Name from_key(std::string_view key);

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

// Name::key() of a name in presentation form, made in place: a lookup needs no Name and no memory from the heap.
class KeyBuffer {
 public:
  // False when `text` is no domain name in ASCII presentation form with a final dot; then Name::parse has the last word.
  bool read(std::string_view text);
  [[nodiscard]] std::string_view key() const { return {octets_.data() + begin_, octets_.size() - begin_}; }

 private:
  // Labels are written from the right end backwards. A label of zeros takes twice its length and two more octets.
  std::array<char, 1024> octets_;  // NOLINT(cppcoreguidelines-pro-type-member-init): only what read() wrote is read
  std::size_t begin_ = 1024;
};

// The key of the parent of the name with this key; of the root, the root's.
[[nodiscard]] std::string_view parent_key(std::string_view key);

}  // namespace dns

template <>
struct boost::system::is_error_code_enum<dns::errc> : std::true_type {};
