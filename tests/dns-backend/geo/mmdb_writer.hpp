// Writes small databases in the MMDB format (MaxMind DB file format, version 2.0): a binary tree of prefixes, the data
// its leaves point to, and the metadata.
#pragma once

#include "dns-backend/geo/geo.hpp"

#include <array>
#include <bit>
#include <fstream>
#include <string>
#include <vector>

namespace test {

class MmdbWriter {
 public:
  explicit MmdbWriter(unsigned ip_version = 6) : ip_version_(ip_version) {}

  // A record like GeoLite2-City's. Empty texts and no coordinates are left out.
  MmdbWriter& add(std::string_view prefix, std::string const& country, std::string const& continent,
                  std::optional<std::array<double, 2>> location = std::nullopt) {
    std::string record =
        head(7, std::size_t{!country.empty()} + std::size_t{!continent.empty()} + (location ? 1U : 0U));
    if (!continent.empty()) {
      record += text("continent") + head(7, 1) + text("code") + text(continent);
    }
    if (!country.empty()) {
      record += text("country") + head(7, 1) + text("iso_code") + text(country);
    }
    if (location) {
      record += text("location") + head(7, 2) + text("latitude") + real((*location)[0]) + text("longitude") +
                real((*location)[1]);
    }
    return add_record(prefix, record);
  }
  // Prefixes that hold others come first.
  MmdbWriter& add_record(std::string_view prefix, std::string const& record) {
    insert(geo::parse_client(prefix).value(), static_cast<long>(data_.size()));
    data_ += record;
    return *this;
  }

  [[nodiscard]] std::string database() const {
    std::string out;
    auto const count = static_cast<long>(nodes_.size());
    for (auto const& node : nodes_) {
      for (Slot const& slot : node) {
        long const value = slot.kind == Slot::Kind::node   ? slot.value
                           : slot.kind == Slot::Kind::none ? count
                                                           : count + separator + slot.value;
        out += {static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
      }
    }
    out += std::string(separator, '\0') + data_ + "\xab\xcd\xefMaxMind.com" + head(7, 9);
    out += text("node_count") + number(6, static_cast<std::uint64_t>(count)) + text("record_size") + number(5, 24);
    out += text("ip_version") + number(5, ip_version_) + text("database_type") + text("Test");
    out += text("languages") + head(11, 0) + text("description") + head(7, 0);
    out += text("binary_format_major_version") + number(5, 2) + text("binary_format_minor_version") + number(5, 0);
    out += text("build_epoch") + number(9, 1);
    return out;
  }
  void write(std::string const& path) const { std::ofstream(path, std::ios::binary) << database(); }

  static std::string text(std::string const& value) { return head(2, value.size()) + value; }

 private:
  static constexpr long separator = 16;
  struct Slot {
    enum class Kind { none, node, data } kind = Kind::none;
    long value = 0;
  };

  // Type and size (below 29) of what follows; types above 7 take another octet.
  static std::string head(unsigned type, std::size_t size) {
    std::string out(1, static_cast<char>((type > 7 ? 0 : type << 5U) | size));
    return type > 7 ? out + static_cast<char>(type - 7) : out;
  }
  static std::string number(unsigned type, std::uint64_t value) {
    std::string octets;
    for (; value > 0; value >>= 8U) {
      octets.insert(octets.begin(), static_cast<char>(value));
    }
    return head(type, octets.size()) + octets;
  }
  static std::string real(double value) {
    auto const bits = std::bit_cast<std::uint64_t>(value);
    std::string out = head(3, 8);
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>(bits >> static_cast<unsigned>(shift));
    }
    return out;
  }

  void insert(geo::Client const& prefix, long data) {
    std::vector<bool> path(!prefix.ipv6 && ip_version_ == 6 ? 96 : 0, false);
    for (unsigned bit = 0; bit < prefix.bits; ++bit) {
      path.push_back((unsigned{prefix.octets[bit / 8]} >> (7 - bit % 8) & 1U) != 0);
    }
    std::size_t node = 0;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      Slot const slot = nodes_[node][path[i]];
      if (slot.kind != Slot::Kind::node) {
        nodes_.push_back({slot, slot});  // what held here holds for both halves, until one gets its own
        nodes_[node][path[i]] = {Slot::Kind::node, static_cast<long>(nodes_.size()) - 1};
      }
      node = static_cast<std::size_t>(nodes_[node][path[i]].value);
    }
    nodes_[node][path.back()] = {Slot::Kind::data, data};
  }

  unsigned ip_version_;
  std::vector<std::array<Slot, 2>> nodes_{{}};
  std::string data_;
};

}  // namespace test
