#include "base/config/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_map>

namespace config {
namespace {

// std::from_chars with the whole text used; a leading plus is not a number here.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string decimal(double value) {
  std::string out = std::to_string(value);
  out.erase(out.find_last_not_of('0') + 1);
  if (!out.empty() && out.back() == '.') {
    out.pop_back();
  }
  return out;
}

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto const count = parse_number<std::int64_t>(text.substr(0, digits));
  auto const unit = text.substr(digits);
  if (!count || unit.empty()) {
    return count;
  }
  for (auto const& [name, ms] : units) {
    if (unit == name) {
      return *count <= std::numeric_limits<std::int64_t>::max() / ms ? std::optional(*count * ms) : std::nullopt;
    }
  }
  return std::nullopt;
}

// The largest unit that says it without a fraction.
std::string duration_text(std::int64_t ms) {
  Unit best = units[0];
  for (auto const& unit : units) {
    if (ms != 0 && ms % unit.ms == 0) {
      best = unit;
    }
  }
  return std::to_string(ms / best.ms) + std::string(best.name);
}

}  // namespace

// The state behind a Reader handle: which keys of one section were asked for, and the sections opened through it.
struct Reader::Cursor {
  // What all cursors of one document share.
  struct Shared {
    std::shared_ptr<Node const> root;  // keeps every Node pointer below alive
    std::string source;
    base::Problems* problems;
    std::set<std::tuple<int, int, std::string, std::string>> reported;  // the same mistake asked for twice is one
  };

  std::shared_ptr<Shared> shared;
  Node const* node = nullptr;  // a section, or anything else read as an empty one
  std::string path;
  int line = 1;
  int column = 1;
  std::set<std::string, std::less<>> asked;
  bool all_known = false;  // the keys are free names
  bool finished = false;
  std::vector<std::shared_ptr<Cursor>> opened;                       // in the order they were asked for
  std::unordered_map<Node const*, std::shared_ptr<Cursor>> by_node;  // the same
  std::unordered_map<std::string_view, Entry const*> by_key;         // node->entries

  void look_at(Node const& section) {
    node = &section;
    line = section.line;
    column = section.column;
    for (auto const& entry : section.entries) {
      by_key.emplace(entry.key, &entry);
    }
  }
  [[nodiscard]] Entry const* entry(std::string_view key) const {
    auto const found = by_key.find(key);
    return found == by_key.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::string path_of(std::string_view key) const {
    return key.empty() ? path : (path.empty() ? "" : path + ".") + std::string(key);
  }
};

Reader::Reader(Document const& document, base::Problems& problems) : cursor_(std::make_shared<Cursor>()) {
  auto const& root = document.root();
  cursor_->shared = std::make_shared<Cursor::Shared>(Cursor::Shared{document.root_, document.source(), &problems, {}});
  cursor_->look_at(root);
  if (root.kind != Node::Kind::section && root.kind != Node::Kind::nothing) {
    report(root, "", std::string("is ") + root.kind_name() + ", not a section", "write key: value");
  }
}

void Reader::report(Node const& node, std::string path, std::string message, std::string hint) {
  if (cursor_->shared->reported.emplace(node.line, node.column, path, message).second) {
    cursor_->shared->problems->push_back(
        {{cursor_->shared->source, node.line, node.column}, std::move(path), std::move(message), std::move(hint)});
  }
}

Entry const* Reader::find(std::string_view key) {
  cursor_->asked.emplace(key);
  return cursor_->entry(key);
}

bool Reader::has(std::string_view key) {
  auto const* const entry = find(key);
  return entry != nullptr && entry->value.kind != Node::Kind::nothing;
}

std::vector<std::string> Reader::keys() {
  cursor_->all_known = true;
  std::vector<std::string> out;
  for (auto const& entry : cursor_->node->entries) {
    out.push_back(entry.key);
  }
  return out;
}

// --- Scalars
// ----------------------------------------------------------------------------------------------------------

Node const* Reader::scalar(std::string_view key, bool required) {
  auto const* const entry = find(key);
  if (entry == nullptr) {
    if (required) {
      fail("", "the key " + quoted(key) + " is missing");
    }
    return nullptr;
  }
  if (entry->value.kind == Node::Kind::nothing) {
    fail(key, "has no value", required ? "" : "leave the key out for the default");
    return nullptr;
  }
  if (entry->value.kind != Node::Kind::scalar) {
    fail(key, std::string("is ") + entry->value.kind_name() + ", not a single value");
    return nullptr;
  }
  return &entry->value;
}

std::string Reader::text(std::string_view key) {
  auto const* const node = scalar(key, true);
  if (node == nullptr) {
    return {};
  }
  if (node->text.empty()) {
    fail(key, "may not be empty");
  }
  return node->text;
}

std::string Reader::text(std::string_view key, std::string fallback) {
  auto const* const node = scalar(key, false);
  return node != nullptr ? node->text : std::move(fallback);
}

std::optional<std::string> Reader::optional_text(std::string_view key) {
  auto const* const node = scalar(key, false);
  return node != nullptr ? std::optional(node->text) : std::nullopt;
}

bool Reader::boolean(std::string_view key) {
  auto const* const node = scalar(key, true);
  return node != nullptr && boolean(key, false);
}

bool Reader::boolean(std::string_view key, bool fallback) {
  auto const* const node = scalar(key, false);
  if (node == nullptr) {
    return fallback;
  }
  if (node->text != "true" && node->text != "false") {
    fail(key, quoted(node->text) + " is neither true nor false");
    return fallback;
  }
  return node->text == "true";
}

std::int64_t Reader::whole(std::string_view key, Range<std::int64_t> range, std::optional<std::int64_t> fallback) {
  auto const* const node = scalar(key, !fallback);
  auto const otherwise = fallback.value_or(range.least);
  if (node == nullptr) {
    return otherwise;
  }
  auto const bounds = std::to_string(range.least) + " to " + std::to_string(range.most);
  auto const value = parse_number<std::int64_t>(node->text);
  if (!value) {
    fail(key, quoted(node->text) + " is not a whole number from " + bounds);
    return otherwise;
  }
  if (*value < range.least || *value > range.most) {
    fail(key, quoted(node->text) + " is outside " + bounds);
    return otherwise;
  }
  return *value;
}

std::optional<double> Reader::optional_number(std::string_view key, Range<double> range) {
  auto const* const node = scalar(key, false);
  if (node == nullptr) {
    return std::nullopt;
  }
  auto const bounds = decimal(range.least) + " to " + decimal(range.most);
  auto const value = parse_number<double>(node->text);
  if (!value || !std::isfinite(*value)) {
    fail(key, quoted(node->text) + " is not a number from " + bounds);
    return std::nullopt;
  }
  if (*value < range.least || *value > range.most) {
    fail(key, quoted(node->text) + " is outside " + bounds);
    return std::nullopt;
  }
  return value;
}

double Reader::number(std::string_view key, Range<double> range, double fallback) {
  return optional_number(key, range).value_or(fallback);
}

std::optional<std::chrono::milliseconds> Reader::read_duration(std::string_view key,
                                                               Range<std::chrono::milliseconds> range, bool required) {
  auto const* const node = scalar(key, required);
  if (node == nullptr) {
    return std::nullopt;
  }
  auto const bounds = duration_text(range.least.count()) + " to " + duration_text(range.most.count());
  auto const ms = parse_duration_ms(node->text);
  if (!ms) {
    fail(key, quoted(node->text) + " is not a duration", "milliseconds, or a number with ms, s, m, h or d");
    return std::nullopt;
  }
  if (*ms < range.least.count() || *ms > range.most.count()) {
    fail(key, quoted(node->text) + " is outside " + bounds);
    return std::nullopt;
  }
  return std::chrono::milliseconds(*ms);
}

std::chrono::milliseconds Reader::duration(std::string_view key, Range<std::chrono::milliseconds> range) {
  return read_duration(key, range, true).value_or(range.least);
}

std::chrono::milliseconds Reader::duration(std::string_view key, Range<std::chrono::milliseconds> range,
                                           std::chrono::milliseconds fallback) {
  return read_duration(key, range, false).value_or(fallback);
}

std::optional<std::size_t> Reader::choice_index(std::string_view key, std::vector<std::string> const& known) {
  auto const* const node = scalar(key, false);
  if (node == nullptr) {
    return std::nullopt;
  }
  auto const found = std::find(known.begin(), known.end(), node->text);
  if (found == known.end()) {
    std::string list;
    for (auto const& word : known) {
      list += (list.empty() ? "" : ", ") + word;
    }
    auto const near = nearest(node->text, known);
    fail(key, quoted(node->text) + " is none of " + list,
         near.empty() ? std::string() : "did you mean " + quoted(near) + "?");
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - known.begin());
}

// --- Lists and sections
// -----------------------------------------------------------------------------------------------

std::vector<std::string> Reader::texts(std::string_view key) {
  auto const* const entry = find(key);
  if (entry == nullptr || entry->value.kind == Node::Kind::nothing) {
    return {};
  }
  if (entry->value.kind != Node::Kind::list) {
    fail(key, std::string("is ") + entry->value.kind_name() + ", not a list", "write [one, two]");
    return {};
  }
  std::vector<std::string> out;
  for (auto const& item : entry->value.items) {
    if (item.kind != Node::Kind::scalar || item.text.empty()) {
      fail_item(key, out.size(), std::string("is ") + item.kind_name() + ", not a single value");
      out.emplace_back();
    } else {
      out.push_back(item.text);
    }
  }
  return out;
}

Reader Reader::open(std::string const& path, Node const& node) {
  auto& cursor = cursor_->by_node[&node];
  if (cursor == nullptr) {
    cursor = std::make_shared<Cursor>();
    cursor->shared = cursor_->shared;
    cursor->path = path;
    cursor->look_at(node);
    cursor_->opened.push_back(cursor);
  }
  return Reader(cursor);
}

Reader Reader::section(std::string_view key) {
  if (auto found = optional_section(key)) {
    return *std::move(found);
  }
  // An empty stand-in, placed where the key is, or where it would have to be written.
  static Node const empty;
  auto cursor = std::make_shared<Cursor>();
  auto const at = place(key);
  cursor->shared = cursor_->shared;
  cursor->look_at(empty);
  cursor->path = cursor_->path_of(key);
  cursor->line = at.line;
  cursor->column = at.column;
  return Reader(std::move(cursor));
}

std::optional<Reader> Reader::optional_section(std::string_view key) {
  auto const* const entry = find(key);
  if (entry == nullptr || entry->value.kind == Node::Kind::nothing) {
    return std::nullopt;
  }
  if (entry->value.kind != Node::Kind::section) {
    fail(key, std::string("is ") + entry->value.kind_name() + ", not a section", "write its keys indented below it");
    return std::nullopt;
  }
  return open(cursor_->path_of(key), entry->value);
}

std::vector<Reader> Reader::sections(std::string_view key) {
  auto const* const entry = find(key);
  if (entry == nullptr || entry->value.kind == Node::Kind::nothing) {
    return {};
  }
  if (entry->value.kind != Node::Kind::list) {
    fail(key, std::string("is ") + entry->value.kind_name() + ", not a list", "begin each entry with '- '");
    return {};
  }
  std::vector<Reader> out;
  for (std::size_t i = 0; i < entry->value.items.size(); ++i) {
    auto const& item = entry->value.items[i];
    if (item.kind != Node::Kind::section) {
      fail_item(key, i, std::string("is ") + item.kind_name() + ", not a section");
      continue;
    }
    out.push_back(open(cursor_->path_of(key) + "[" + std::to_string(i) + "]", item));
  }
  return out;
}

std::vector<std::pair<std::string, Reader>> Reader::section_map(std::string_view key) {
  std::vector<std::pair<std::string, Reader>> out;
  auto map = optional_section(key);
  if (!map) {
    return out;
  }
  map->cursor_->all_known = true;
  for (auto const& entry : map->cursor_->node->entries) {
    if (entry.value.kind == Node::Kind::nothing) {
      out.emplace_back(entry.key, map->section(entry.key));
    } else if (auto section = map->optional_section(entry.key)) {
      out.emplace_back(entry.key, *std::move(section));
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Reader::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> out;
  auto map = optional_section(key);
  if (!map) {
    return out;
  }
  map->cursor_->all_known = true;
  for (auto const& entry : map->cursor_->node->entries) {
    if (auto value = map->optional_text(entry.key)) {
      out.emplace_back(entry.key, *std::move(value));
    }
  }
  return out;
}

// --- Problems
// ---------------------------------------------------------------------------------------------------------

void Reader::fail(std::string_view key, std::string message, std::string hint) {
  auto const at = place(key);
  Node node;
  node.line = at.line;
  node.column = at.column;
  report(node, path(key), std::move(message), std::move(hint));
}

void Reader::fail_item(std::string_view key, std::size_t index, std::string message, std::string hint) {
  auto const* const entry = cursor_->entry(key);
  if (entry == nullptr || index >= entry->value.items.size()) {
    fail(key, std::move(message), std::move(hint));
    return;
  }
  report(entry->value.items[index], path(key) + "[" + std::to_string(index) + "]", std::move(message), std::move(hint));
}

base::Place Reader::place(std::string_view key) const {
  auto const* const entry = cursor_->entry(key);
  if (entry == nullptr) {
    return {cursor_->shared->source, cursor_->line, cursor_->column};
  }
  return {cursor_->shared->source, entry->value.line, entry->value.column};
}

std::string Reader::path(std::string_view key) const {
  return cursor_->path_of(key);
}

void Reader::finish() {
  if (cursor_->finished) {
    return;
  }
  cursor_->finished = true;
  if (!cursor_->all_known) {
    std::vector<std::string> const known(cursor_->asked.begin(), cursor_->asked.end());
    for (auto const& entry : cursor_->node->entries) {
      if (cursor_->asked.contains(entry.key)) {
        continue;
      }
      Node at;
      at.line = entry.line;
      at.column = entry.column;
      report(at, cursor_->path, "the key " + quoted(entry.key) + " is unknown", nearest_hint(entry.key, known));
    }
  }
  for (auto const& cursor : cursor_->opened) {
    Reader(cursor).finish();
  }
}

}  // namespace config
