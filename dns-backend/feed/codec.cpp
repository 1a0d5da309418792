#include "dns-backend/feed/codec.hpp"

#include "base/result/category.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace feed {

namespace {

namespace json = boost::json;
using Columns = std::vector<std::pair<std::string, database::Value>>;

constexpr std::int64_t format = 1;

char const* message(int) {
  return "not a change feed message";
}

base::Failure bad(std::string detail) {
  return base::fail(errc::bad_message, std::move(detail));
}

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(unsigned char const* data, std::size_t size) {
  std::string out;
  out.reserve((size + 2) / 3 * 4);
  for (std::size_t i = 0; i < size; i += 3) {
    std::size_t const left = std::min<std::size_t>(3, size - i);
    unsigned const bits = (static_cast<unsigned>(data[i]) << 16U) |
                          (left > 1 ? static_cast<unsigned>(data[i + 1]) << 8U : 0U) |
                          (left > 2 ? static_cast<unsigned>(data[i + 2]) : 0U);
    out += alphabet[(bits >> 18U) & 63U];
    out += alphabet[(bits >> 12U) & 63U];
    out += left > 1 ? alphabet[(bits >> 6U) & 63U] : '=';
    out += left > 2 ? alphabet[bits & 63U] : '=';
  }
  return out;
}

// Strict: padded, no other characters.
base::Result<database::Blob> from_base64(std::string_view text) {
  database::Blob out;
  if (text.size() % 4 != 0) {
    return bad("base64 text of a length that is no multiple of four");
  }
  for (std::size_t i = 0; i < text.size(); i += 4) {
    bool const last = i + 4 == text.size();
    unsigned bits = 0;
    unsigned padding = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      char const c = text[i + j];
      auto const at = alphabet.find(c);
      bool const pad = c == '=' && last && j >= 2;
      if ((at == std::string_view::npos && !pad) || (padding > 0 && !pad)) {
        return bad("a character that is not base64");
      }
      padding += pad ? 1U : 0U;
      bits = (bits << 6U) | (pad ? 0U : static_cast<unsigned>(at));
    }
    for (unsigned j = 0; j < 3 - padding; ++j) {
      out.push_back(static_cast<std::uint8_t>((bits >> (16U - 8U * j)) & 255U));
    }
  }
  return out;
}

bool is_ascii(std::string const& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct ToJson {
  json::value operator()(std::monostate) const { return nullptr; }
  json::value operator()(std::int64_t number) const { return number; }
  // As text: the shortest form reads back as the same number everywhere, JSON numbers need not.
  json::value operator()(double number) const {
    std::array<char, 32> digits{};
    auto const [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    ASSERT(error == std::errc());
    return json::object{{"real", std::string(digits.data(), end)}};
  }
  json::value operator()(std::string const& text) const {
    if (is_ascii(text)) {
      return json::value(text);
    }
    return json::object{{"text", to_base64(reinterpret_cast<unsigned char const*>(text.data()), text.size())}};
  }
  json::value operator()(database::Blob const& blob) const {
    return json::object{{"base64", to_base64(blob.data(), blob.size())}};
  }
};

json::array to_array(Columns const& columns) {
  json::array out;
  for (auto const& [name, value] : columns) {
    out.push_back(json::array{json::value(name), std::visit(ToJson{}, value)});
  }
  return out;
}

base::Result<database::Value> to_real(std::string_view text) {
  double number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad("a real that is no number");
  }
  return database::Value(number);
}

base::Result<database::Value> to_value(json::value const& value) {
  switch (value.kind()) {
    case json::kind::null:
      return database::Value();
    case json::kind::int64:
      return database::Value(value.get_int64());
    case json::kind::string:
      return database::Value(std::string(value.get_string()));
    case json::kind::object:
      break;
    default:
      return bad("a value of a kind that no column has");
  }
  json::object const& object = value.get_object();
  if (object.size() != 1 || !object.begin()->value().is_string()) {
    return bad("an encoded value that is not one text");
  }
  std::string_view const kind = object.begin()->key();
  std::string_view const encoded = object.begin()->value().get_string();
  if (kind == "real") {
    return to_real(encoded);
  }
  if (kind != "text" && kind != "base64") {
    return bad("an encoded value that is neither real, text nor base64");
  }
  auto bytes = from_base64(encoded);
  if (!bytes) {
    return bytes.error();
  }
  if (kind == "text") {
    return database::Value(std::string(bytes->begin(), bytes->end()));
  }
  return database::Value(std::move(*bytes));
}

base::Result<Columns> to_columns(json::value const& value, std::string_view what) {
  if (!value.is_array()) {
    return bad(std::string(what) + " is no list");
  }
  Columns columns;
  for (auto const& pair : value.get_array()) {
    if (!pair.is_array() || pair.get_array().size() != 2 || !pair.get_array()[0].is_string()) {
      return bad(std::string(what) + " holds something else than [name, value]");
    }
    auto decoded = to_value(pair.get_array()[1]);
    if (!decoded) {
      return decoded.error();
    }
    columns.emplace_back(std::string(pair.get_array()[0].get_string()), std::move(*decoded));
  }
  return columns;
}

base::Result<database::Change> to_change(json::value const& value) {
  if (!value.is_object()) {
    return bad("a row is no object");
  }
  json::object const& object = value.get_object();
  auto const* const revision = object.if_contains("revision");
  auto const* const table = object.if_contains("table");
  auto const* const key = object.if_contains("key");
  auto const* const values = object.if_contains("values");
  if (revision == nullptr || !revision->is_int64() || table == nullptr || !table->is_string() || key == nullptr ||
      values == nullptr) {
    return bad("a row lacks revision, table, key or values");
  }
  database::Change change;
  change.revision = revision->get_int64();
  change.table = std::string(table->get_string());
  auto keys = to_columns(*key, "key");
  if (!keys) {
    return keys.error();
  }
  change.key = std::move(*keys);
  if (!values->is_null()) {
    auto columns = to_columns(*values, "values");
    if (!columns) {
      return columns.error();
    }
    change.values = std::move(*columns);
  }
  return change;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("feed", message);
  return {static_cast<int>(code), category};
}

std::string to_json(database::Changes const& changes) {
  json::array rows;
  rows.reserve(changes.rows.size());
  for (auto const& change : changes.rows) {
    json::object row{{"revision", change.revision}, {"table", change.table}, {"key", to_array(change.key)}};
    row["values"] = change.values.empty() ? json::value(nullptr) : json::value(to_array(change.values));
    rows.push_back(std::move(row));
  }
  return json::serialize(json::object{{"format", format},
                                      {"history", changes.history},
                                      {"from", changes.from},
                                      {"to", changes.to},
                                      {"complete", changes.complete},
                                      {"rows", std::move(rows)}});
}

base::Result<database::Changes> parse_changes(std::string_view text) {
  boost::system::error_code failed;
  json::value const value = json::parse(text, failed);
  if (failed || !value.is_object()) {
    return bad("no JSON object: " + (failed ? failed.message() : std::string("another kind")));
  }
  json::object const& object = value.get_object();
  auto const number = [&object](std::string_view key) -> std::int64_t const* {
    auto const* const found = object.if_contains(key);
    return found == nullptr ? nullptr : found->if_int64();
  };
  auto const* const version = number("format");
  auto const* const from = number("from");
  auto const* const to = number("to");
  auto const* const complete = object.if_contains("complete");
  auto const* const history = object.if_contains("history");
  auto const* const rows = object.if_contains("rows");
  if (version == nullptr || *version != format) {
    return bad("a format this version does not read");
  }
  if (from == nullptr || to == nullptr || *from < 0 || *to < *from || complete == nullptr || !complete->is_bool() ||
      history == nullptr || !history->is_string() || rows == nullptr || !rows->is_array() ||
      rows->get_array().size() > rows_limit) {
    return bad("from, to, complete, history or rows is missing or out of range");
  }
  database::Changes changes;
  changes.from = *from;
  changes.to = *to;
  changes.complete = complete->get_bool();
  changes.history = std::string(history->get_string());
  for (auto const& row : rows->get_array()) {
    auto change = to_change(row);
    if (!change) {
      return change.error();
    }
    changes.rows.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace feed
