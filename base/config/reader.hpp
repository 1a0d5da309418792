// A cursor over one section of a Document: ask for keys by name and type, and every mistake becomes a Problem.
//
//   auto document = config::Document::load("/etc/navigator/navigator.yaml");
//   if (!document) { print(base::text(document.error())); return 1; }
//   base::Problems problems;
//   config::Reader root(*document, problems);
//   settings.name = root.text("name");                                  // required
//   settings.workers = root.integer<unsigned>("workers", {1, 64}, 2);   // optional, 2 when absent
//   auto api = root.section("api");                                     // absent: an empty section, so defaults apply
//   settings.listen = api.text("listen", "127.0.0.1:18010");
//   if (!is_endpoint(settings.listen)) { api.fail("listen", "is not host:port", "for instance 127.0.0.1:18010"); }
//   for (auto& peer : root.sections("peers")) { settings.peers.push_back(read_peer(peer)); }
//   root.finish();                                                      // refuses every key nobody asked for
//   if (!problems.empty()) { print(base::text(problems)); return 1; }
//
// Rules
// - A getter never fails towards its caller: after a mistake it appends a problem and returns the fallback or an empty
//   value, so that all mistakes of a file are found in one run. Use what was read only when `problems` stayed empty.
// - Asking for a key marks it as known. `finish()`, called once on the root when everything was asked for, reports all
//   unknown keys of this section and of every section opened through it, with the nearest known key as hint.
// - `key:` with nothing behind it is an absent section or an empty list, but a mistake where a scalar is expected.
// - A Reader is a small handle that may be copied and kept: a second pass can call `fail` on it when it has learnt more
//   (for instance that a name does not exist). It must not outlive the `problems` it was made with. It keeps the
//   document alive by itself.
// - The same key may be asked for twice; a mistake in it is then reported once.
//
// Threads: not for sharing; all readers of one document belong to one thread.
#pragma once

#include "base/config/document.hpp"
#include "base/config/nearest.hpp"
#include "base/result/problem.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace config {

// Inclusive bounds.
template <class T>
struct Range {
  T least;
  T most;
};

class Reader {
 public:
  // A cursor over the root. A root that is neither a section nor nothing is a problem, and then reads as empty.
  Reader(Document const& document, base::Problems& problems);

  // --- Presence -----------------------------------------------------------------------------------------------------

  // Whether the key is written with a value. Marks it as known.
  [[nodiscard]] bool has(std::string_view key);
  // The keys of a section whose keys are free names, in the order of the file. All of them are known by that.
  [[nodiscard]] std::vector<std::string> keys();

  // --- Scalars: without a fallback the key is required --------------------------------------------------------------

  std::string text(std::string_view key);  // required: may not be empty
  std::string text(std::string_view key, std::string fallback);
  std::optional<std::string> optional_text(std::string_view key);

  // Only `true` and `false`: yes, no, on and off mean different things to different readers of YAML.
  bool boolean(std::string_view key);
  bool boolean(std::string_view key, bool fallback);

  // Decimal, whole. Problem when it is not a number or out of range; the message names the range.
  template <std::integral T>
  T integer(std::string_view key, Range<T> range) {
    return static_cast<T>(whole(key, wide(range), std::nullopt));
  }
  template <std::integral T>
  T integer(std::string_view key, Range<T> range, T fallback) {
    return static_cast<T>(whole(key, wide(range), static_cast<std::int64_t>(fallback)));
  }

  // A port number, 1 to 65535.
  std::uint16_t port(std::string_view key) { return integer<std::uint16_t>(key, {1, 65535}); }
  std::uint16_t port(std::string_view key, std::uint16_t fallback) {
    return integer<std::uint16_t>(key, {1, 65535}, fallback);
  }

  double number(std::string_view key, Range<double> range, double fallback);
  std::optional<double> optional_number(std::string_view key, Range<double> range);

  // A plain number is milliseconds; the units ms, s, m, h and d may be written ("500ms", "2s", "1h").
  std::chrono::milliseconds duration(std::string_view key, Range<std::chrono::milliseconds> range);
  std::chrono::milliseconds duration(std::string_view key, Range<std::chrono::milliseconds> range,
                                     std::chrono::milliseconds fallback);

  // One of a few words. The message lists them, the hint names the nearest. Absent: the fallback.
  template <class T>
  T choice(std::string_view key, std::vector<std::pair<std::string, T>> const& words, T fallback) {
    std::vector<std::string> known;
    for (auto const& [word, value] : words) {
      known.push_back(word);
    }
    auto const index = choice_index(key, known);
    return index ? words[*index].second : fallback;
  }

  // Text through a parser of the caller: `parse(std::string const&)` returns std::optional<T>. Absent, or not
  // parsed: nullopt; in the latter case with the problem "'10.0.0.0/33' is not <what>".
  template <class Parse>
  auto parsed(std::string_view key, Parse const& parse, std::string_view what)
      -> decltype(parse(std::declval<std::string const&>())) {
    auto const value = optional_text(key);
    if (!value) {
      return std::nullopt;
    }
    auto out = parse(*value);
    if (!out) {
      fail(key, quoted(*value) + " is not " + std::string(what));
    }
    return out;
  }

  // --- Lists --------------------------------------------------------------------------------------------------------

  // A list of scalars; absent: empty. A single scalar is not a list. Each item that is not text is a problem, and is
  // kept as an empty text, so that an index here is an index for fail_item.
  std::vector<std::string> texts(std::string_view key);

  // A list of scalars through a parser, as `parsed`. Items that do not parse are problems and left out.
  template <class Parse>
  auto parsed_list(std::string_view key, Parse const& parse, std::string_view what)
      -> std::vector<typename decltype(parse(std::declval<std::string const&>()))::value_type> {
    std::vector<typename decltype(parse(std::declval<std::string const&>()))::value_type> out;
    auto const items = texts(key);
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto value = parse(items[i]);
      if (value) {
        out.push_back(*std::move(value));
      } else if (!items[i].empty()) {
        fail_item(key, i, quoted(items[i]) + " is not " + std::string(what));
      }
    }
    return out;
  }

  // --- Sections -----------------------------------------------------------------------------------------------------

  // The section under the key; absent: an empty one, whose own required keys are then reported as missing.
  Reader section(std::string_view key);
  // nullopt when absent.
  std::optional<Reader> optional_section(std::string_view key);
  // A list of sections; absent: empty. Items that are not sections are problems and left out.
  std::vector<Reader> sections(std::string_view key);
  // A section whose keys are free names and whose values are sections, in the order of the file; absent: empty.
  std::vector<std::pair<std::string, Reader>> section_map(std::string_view key);
  // A section whose keys are free names and whose values are text, in the order of the file; absent: empty.
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);

  // --- Problems -----------------------------------------------------------------------------------------------------

  // A problem at the key's value, or at this section when the key is absent. With an empty key: about the section.
  void fail(std::string_view key, std::string message, std::string hint = {});
  // A problem at one item of the list under the key.
  void fail_item(std::string_view key, std::size_t index, std::string message, std::string hint = {});

  // Where a key's value is (the section's place when absent) and its path, for cross-references in messages.
  [[nodiscard]] base::Place place(std::string_view key) const;
  [[nodiscard]] std::string path(std::string_view key) const;

  // Reports all unknown keys here and in every section opened through this one. Once, on the root.
  void finish();

 private:
  struct Cursor;
  struct Scalar;

  explicit Reader(std::shared_ptr<Cursor> cursor) : cursor_(std::move(cursor)) {}

  template <class T>
  static Range<std::int64_t> wide(Range<T> range) {
    static_assert(sizeof(T) < sizeof(std::int64_t) || std::is_signed_v<T>, "bounds must fit 64 signed bits");
    return {static_cast<std::int64_t>(range.least), static_cast<std::int64_t>(range.most)};
  }

  Entry const* find(std::string_view key);
  Node const* scalar(std::string_view key, bool required);
  Reader open(std::string const& path, Node const& node);
  std::int64_t whole(std::string_view key, Range<std::int64_t> range, std::optional<std::int64_t> fallback);
  std::optional<std::chrono::milliseconds> read_duration(std::string_view key, Range<std::chrono::milliseconds> range,
                                                         bool required);
  std::optional<std::size_t> choice_index(std::string_view key, std::vector<std::string> const& known);
  void report(Node const& node, std::string path, std::string message, std::string hint);

  std::shared_ptr<Cursor> cursor_;
};

}  // namespace config
