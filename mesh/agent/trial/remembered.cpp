#include "mesh/agent/trial/remembered.hpp"

#include <algorithm>
#include <charconv>

namespace agent {
namespace {

bool read(std::string_view text, std::int64_t& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_text(TakenBack const& of, Instant at) {
  auto const wait = std::chrono::ceil<std::chrono::seconds>(of.next - at.now);
  std::string out = "revision " + std::to_string(of.offer.revision) + "\nmark " + of.offer.mark + "\ntries " +
                    std::to_string(of.tries) + "\nnext " +
                    std::to_string(at.wall_s + std::max<std::int64_t>(0, wait.count())) + "\ndead " +
                    std::to_string(of.offer.dead_time.count()) + "\n" + (of.missing_controller ? "controller\n" : "") +
                    (of.unapplied ? "unapplied\n" : "");
  for (auto const& router : of.offer.neighbors) {
    out += "neighbor " + router + "\n";
  }
  for (auto const& router : of.missing) {
    out += "missing " + router + "\n";
  }
  return out;
}

std::optional<TakenBack> parse_taken_back(std::string_view text, Instant at) {
  TakenBack out;
  std::int64_t next = 0;
  std::int64_t tries = 0;
  std::int64_t dead = 0;
  while (!text.empty()) {
    auto const end = std::min(text.find('\n'), text.size());
    auto const line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto const space = std::min(line.find(' '), line.size());
    auto const word = line.substr(0, space);
    auto const value = line.substr(std::min(space + 1, line.size()));
    bool const good = word == "revision"    ? read(value, out.offer.revision)
                      : word == "tries"     ? read(value, tries)
                      : word == "next"      ? read(value, next)
                      : word == "dead"      ? read(value, dead)
                      : word == "mark"      ? !(out.offer.mark = value).empty()
                      : word == "missing"   ? out.missing.emplace(value).second
                      : word == "neighbor"  ? out.offer.neighbors.emplace(value).second
                      : word == "unapplied" ? (out.unapplied = true)
                                            : (out.missing_controller = word == "controller");
    if (!good) {
      return std::nullopt;
    }
  }
  if (out.offer.revision < 0 || out.offer.mark.empty() || tries < 1 || tries > 1'000'000 || dead < 1 || dead > 65535) {
    return std::nullopt;
  }
  out.tries = static_cast<unsigned>(tries);
  out.offer.dead_time = std::chrono::seconds(dead);
  out.since = at.now;
  auto const wait = std::chrono::seconds(next - at.wall_s);
  bool const believed = wait >= std::chrono::seconds(0) && wait <= 2 * Changes::longest_pause;
  out.next = at.now + (believed ? wait : until_slot(at.wall_s, Changes::first_pause));
  return out;
}

}  // namespace agent
