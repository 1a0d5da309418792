#include "routing/bird/status.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace bird {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    std::size_t const end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

// "3.456" as seconds; nothing for any other text. No more than 9 digits a side, so nothing overflows.
std::optional<double> seconds(std::string_view text) {
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 1e9) {
    return std::nullopt;
  }
  return value;
}

bool is_state(std::string_view word) {
  return word == "up" || word == "down" || word == "start" || word == "stop" || word == "flush";
}

// A router id is four decimal numbers; table heads and other lines are not.
bool is_router_id(std::string_view word) {
  return std::count(word.begin(), word.end(), '.') == 3 &&
         word.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

// Name       Proto      Table      State  Since         Info
// ospf4      OSPF       master4    up     12:00:00.123  Running
std::vector<ProtocolRow> parse_protocols(Lines const& lines) {
  std::vector<ProtocolRow> rows;
  for (auto const& line : lines) {
    auto const words = words_of(line);
    if (words.size() < 5 || !is_state(words[3])) {
      continue;
    }
    ProtocolRow row{std::string(words[0]), std::string(words[1]), std::string(words[2]), std::string(words[3]), ""};
    // "Since" is a time, or a date and a time when the operator's format is the long one.
    std::size_t info = 5;
    if (words.size() > 5 && words[4].size() == 10 && words[4][4] == '-' && words[5].find(':') != std::string::npos) {
      info = 6;
    }
    for (std::size_t i = info; i < words.size(); ++i) {
      row.info += (row.info.empty() ? "" : " ") + std::string(words[i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// ospf4:
// Router ID    Pri       State      DTime  Interface  Router IP
// 10.200.0.2     1  Full/PtP      3.456  wg-b       10.200.0.2
std::vector<Neighbor> parse_ospf_neighbors(Lines const& lines) {
  std::vector<Neighbor> neighbors;
  std::string protocol;
  for (auto const& line : lines) {
    auto const words = words_of(line);
    if (words.size() == 1 && words[0].size() > 1 && words[0].back() == ':') {
      protocol = std::string(words[0].substr(0, words[0].size() - 1));
      continue;
    }
    if (words.size() != 6 || !is_router_id(words[0])) {
      continue;
    }
    auto const dead = seconds(words[3]);
    if (!dead) {
      continue;
    }
    neighbors.push_back({protocol, std::string(words[0]), std::string(words[2].substr(0, words[2].find('/'))),
                         std::string(words[4]), std::string(words[5]), *dead});
  }
  return neighbors;
}

// bfd1:
// IP address                Interface  State      Since         Interval  Timeout
// 10.200.0.2                wg-b       Up         12:00:00.123    0.100    0.500
std::vector<BfdSession> parse_bfd_sessions(Lines const& lines) {
  std::vector<BfdSession> sessions;
  for (auto const& line : lines) {
    auto const words = words_of(line);
    if (words.size() < 6 || words[0].find_first_of(".:") == std::string_view::npos) {
      continue;
    }
    auto const interval = seconds(words[words.size() - 2]);
    auto const timeout = seconds(words.back());
    if (!interval || !timeout) {
      continue;
    }
    std::string since;
    for (std::size_t i = 3; i + 2 < words.size(); ++i) {
      since += (since.empty() ? "" : " ") + std::string(words[i]);
    }
    sessions.push_back(
        {std::string(words[0]), std::string(words[1]), std::string(words[2]), *interval, *timeout, since});
  }
  return sessions;
}

std::vector<Neighbor> full_without_bfd(std::vector<Neighbor> const& neighbors,
                                       std::vector<BfdSession> const& sessions) {
  std::vector<Neighbor> missing;
  for (auto const& neighbor : neighbors) {
    bool const covered = std::any_of(sessions.begin(), sessions.end(), [&](BfdSession const& session) {
      return session.up() && session.address == neighbor.address && session.interface == neighbor.interface;
    });
    if (neighbor.full() && !covered) {
      missing.push_back(neighbor);
    }
  }
  return missing;
}

}  // namespace bird
