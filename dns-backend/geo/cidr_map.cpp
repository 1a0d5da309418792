#include "dns-backend/geo/cidr_map.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <limits>
#include <tuple>

namespace geo {
namespace {

constexpr unsigned word_bits = 64;
constexpr std::uint64_t all_ones = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view blanks = " \t\r";

// Takes the next word off `line`; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  std::string_view const word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

bool is_region(std::string_view text) {
  constexpr std::size_t longest = 63;
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

bool read_degrees(std::string_view text, double limit, double& degrees) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), degrees, std::chars_format::fixed);
  return error == std::errc() && end == text.data() + text.size() && degrees >= -limit && degrees <= limit;
}

bool read_coordinates(std::string_view text, CidrMap::Entry& entry) {
  constexpr double latitude_max = 90;
  constexpr double longitude_max = 180;
  std::size_t const comma = text.find(',');
  entry.has_coordinates = comma != std::string_view::npos &&
                          read_degrees(text.substr(0, comma), latitude_max, entry.latitude) &&
                          read_degrees(text.substr(comma + 1), longitude_max, entry.longitude);
  return entry.has_coordinates;
}

// The lines of one file and what is wrong with them.
class FileReader {
 public:
  explicit FileReader(std::string const& source) : source_(source) {}

  void read(std::string_view line) {
    ++line_;
    line = line.substr(0, line.find('#'));
    std::string_view const prefix = take_word(line);
    if (prefix.empty()) {
      return;
    }
    CidrMap::Entry entry;
    bool good = read_prefix(prefix, entry.prefix);
    entry.region = take_word(line);
    if (!is_region(entry.region)) {
      complain(entry.region.empty() ? "no region follows the prefix" : "'" + entry.region + "' is no name of a region",
               "letters, digits, '-', '_' and '.', at most 63 of them; a country is written as DE");
      good = false;
    }
    std::string_view const coordinates = take_word(line);
    if (!coordinates.empty() && !read_coordinates(coordinates, entry)) {
      complain("'" + std::string(coordinates) + "' are no coordinates",
               "latitude,longitude in degrees without a blank, for instance 48.13,11.58");
      good = false;
    }
    if (std::string_view const rest = take_word(line); !rest.empty()) {
      complain("'" + std::string(rest) + "' is one word too many", "a line is: prefix region [latitude,longitude]");
      good = false;
    }
    if (good) {
      entries_.push_back(std::move(entry));
      lines_.emplace_back(entries_.back().prefix, line_);
    }
  }

  base::Problems& finish() {
    std::sort(lines_.begin(), lines_.end(), [](auto const& a, auto const& b) {
      return std::tie(a.first.ipv6, a.first.octets, a.first.bits, a.second) <
             std::tie(b.first.ipv6, b.first.octets, b.first.bits, b.second);
    });
    for (std::size_t i = 1; i < lines_.size(); ++i) {
      if (lines_[i].first == lines_[i - 1].first) {
        line_ = lines_[i].second;
        complain(to_text(lines_[i].first) + " stands in line " + std::to_string(lines_[i - 1].second) + " already",
                 "remove one of them");
      }
    }
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](auto const& a, auto const& b) { return a.place.line < b.place.line; });
    return problems_;
  }
  std::vector<CidrMap::Entry>& entries() { return entries_; }

 private:
  bool read_prefix(std::string_view text, Client& prefix) {
    std::optional<Client> const parsed = parse_client(text);
    if (!parsed) {
      complain("'" + std::string(text) + "' is no prefix", "write it as 192.0.2.0/24 or 2001:db8::/32");
      return false;
    }
    prefix = *parsed;
    std::optional<Client> const address = parse_client(text.substr(0, text.find('/')));
    if (address && address->ipv6 == prefix.ipv6 && address->octets != prefix.octets) {
      complain("'" + std::string(text) + "' has bits set behind its length", "did you mean " + to_text(prefix) + "?");
      return false;
    }
    return true;
  }
  void complain(std::string message, std::string hint) {
    problems_.push_back({{source_, line_, 0}, {}, std::move(message), std::move(hint)});
  }

  std::string const& source_;
  int line_ = 0;
  std::vector<CidrMap::Entry> entries_;
  std::vector<std::pair<Client, int>> lines_;
  base::Problems problems_;
};

}  // namespace

CidrMap::Key CidrMap::key_of(Client const& client) {
  Key key;
  for (std::size_t i = 0; i < sizeof key.high; ++i) {
    key.high = key.high << 8U | client.octets[i];
    key.low = key.low << 8U | client.octets[i + sizeof key.high];
  }
  return key;
}

CidrMap::Key CidrMap::last_of(Client const& client) {
  Key key = key_of(client);
  key.high |= client.bits >= word_bits ? 0 : all_ones >> client.bits;
  key.low |= client.bits <= word_bits       ? all_ones
             : client.bits >= 2 * word_bits ? 0
                                            : all_ones >> (client.bits - word_bits);
  return key;
}

CidrMap::Key CidrMap::next(Key key) {
  ++key.low;
  key.high += key.low == 0 ? 1 : 0;
  return key;
}

CidrMap::Key CidrMap::previous(Key key) {
  key.high -= key.low == 0 ? 1 : 0;
  --key.low;
  return key;
}

unsigned CidrMap::common_bits(Key a, Key b) {
  return static_cast<unsigned>(a.high != b.high ? std::countl_zero(a.high ^ b.high)
                                                : static_cast<int>(word_bits) + std::countl_zero(a.low ^ b.low));
}

// Sweeps over the sorted prefixes with those that are open: each opens a range, and where it ends the one around it
// goes on.
CidrMap::Ranges CidrMap::ranges_of(bool ipv6) {
  Ranges ranges{{Key{}, -1}};
  std::vector<std::int32_t> open;
  auto const innermost = [&open] { return open.empty() ? -1 : open.back(); };
  auto const begin = [&ranges](Key start, std::int32_t entry) {
    if (ranges.back().start == start) {
      ranges.back().entry = entry;
    } else {
      ranges.push_back({start, entry});
    }
  };
  auto const close = [&] {
    Key const last = last_of(entries_[static_cast<std::size_t>(open.back())].prefix);
    open.pop_back();
    if (last != Key{all_ones, all_ones}) {
      begin(next(last), innermost());
    }
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Client const& prefix = entries_[i].prefix;
    if (prefix.ipv6 != ipv6) {
      continue;
    }
    while (!open.empty() && last_of(entries_[static_cast<std::size_t>(open.back())].prefix) < key_of(prefix)) {
      close();
    }
    entries_[i].around = innermost();
    open.push_back(static_cast<std::int32_t>(i));
    begin(key_of(prefix), open.back());
  }
  while (!open.empty()) {
    close();
  }
  ranges.erase(
      std::unique(ranges.begin(), ranges.end(), [](auto const& a, auto const& b) { return a.entry == b.entry; }),
      ranges.end());
  ranges.shrink_to_fit();
  return ranges;
}

CidrMap::CidrMap(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(), [](Entry const& a, Entry const& b) {
    return std::tie(a.prefix.ipv6, a.prefix.octets, a.prefix.bits) <
           std::tie(b.prefix.ipv6, b.prefix.octets, b.prefix.bits);
  });
  ipv4_ = ranges_of(false);
  ipv6_ = ranges_of(true);
}

CidrMap::Match CidrMap::match(Client const& client) const {
  Ranges const& ranges = client.ipv6 ? ipv6_ : ipv4_;
  Key const key = key_of(client);
  auto const after = std::upper_bound(ranges.begin(), ranges.end(), key,
                                      [](Key const& wanted, Range const& range) { return wanted < range.start; });
  Range const& range = *std::prev(after);
  // A prefix longer than what is known of the client says nothing about it.
  std::int32_t index = range.entry;
  while (index >= 0 && entries_[static_cast<std::size_t>(index)].prefix.bits > client.bits) {
    index = entries_[static_cast<std::size_t>(index)].around;
  }
  unsigned scope = 0;
  if (range.start != Key{}) {
    scope = common_bits(key, previous(range.start)) + 1;
  }
  if (after != ranges.end()) {
    scope = std::max(scope, common_bits(key, after->start) + 1);
  }
  return {index < 0 ? nullptr : &entries_[static_cast<std::size_t>(index)],
          static_cast<std::uint8_t>(std::min<unsigned>(scope, client.bits))};
}

std::optional<Place> CidrMap::locate(Client const& client) const {
  Match const found = match(client);
  if (found.entry == nullptr) {
    return std::nullopt;
  }
  return Place{found.entry->region, {}, found.entry->has_coordinates, found.entry->latitude, found.entry->longitude,
               found.scope_bits};
}

boost::system::result<std::shared_ptr<CidrMap const>, base::Problems> CidrMap::parse(std::string_view text,
                                                                                     std::string const& source_name) {
  FileReader reader(source_name);
  while (!text.empty()) {
    std::string_view const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    reader.read(line);
  }
  if (base::Problems& problems = reader.finish(); !problems.empty()) {
    return std::move(problems);
  }
  return std::shared_ptr<CidrMap const>(new CidrMap(std::move(reader.entries())));  // NOLINT: a private constructor
}

boost::system::result<std::shared_ptr<CidrMap const>, base::Problems> CidrMap::load(std::string const& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "rb"), std::fclose);
  std::string text;
  std::array<char, 16384> piece{};
  while (file != nullptr) {
    std::size_t const count = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), count);
    if (count < piece.size()) {
      break;
    }
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    return base::Problems{{{path, 0, 0},
                           {},
                           "the CIDR map cannot be read: " + std::string(std::strerror(errno)),
                           "name a text file with lines 'prefix region' that this user may read"}};
  }
  return parse(text, path);
}

}  // namespace geo
