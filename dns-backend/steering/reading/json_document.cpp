// JSON as a document, so that one reader has the say about both notations.
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace steering {

namespace {

namespace json = boost::json;
using config::Node;

Node node_of(json::value const& value) {
  Node node;
  node.line = 0;
  node.column = 0;
  if (value.is_array()) {
    node.kind = Node::Kind::list;
    for (json::value const& item : value.get_array()) {
      node.items.push_back(node_of(item));
    }
  } else if (value.is_object()) {
    node.kind = Node::Kind::section;
    for (auto const& member : value.get_object()) {
      if (!member.value().is_null()) {
        node.entries.push_back({std::string(member.key()), 0, 0, node_of(member.value())});
      }
    }
  } else if (!value.is_null()) {
    node.kind = Node::Kind::scalar;
    node.text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  }
  return node;
}

Read<config::Document> document_of(std::string_view text) {
  std::string const source = "request body";
  boost::system::error_code bad;
  json::value const value = json::parse(text, bad);
  if (bad || !value.is_object()) {
    return base::Problems{{{source, 0, 0}, "", "is no JSON object", bad ? bad.message() : ""}};
  }
  return config::Document::of(node_of(value), source);
}

// One step of a path: a key, or the text in brackets.
struct Step {
  std::string text;
  bool bracket = false;
};

std::vector<Step> steps_of(std::string_view path) {
  std::vector<Step> steps;
  while (!path.empty()) {
    bool const bracket = path.front() == '[';
    std::size_t const end = bracket ? path.find(']') : path.find_first_of(".[");
    std::size_t const from = bracket ? 1 : 0;
    std::string_view const text = path.substr(from, end == std::string_view::npos ? end : end - from);
    if (!text.empty()) {
      steps.push_back({std::string(text), bracket});
    }
    path =
        end == std::string_view::npos ? std::string_view() : path.substr(bracket || path[end] == '.' ? end + 1 : end);
  }
  return steps;
}

bool is_called(Node const& item, std::string const& name) {
  auto const plain = [](std::string text) {
    if (text.ends_with('.')) {
      text.pop_back();
    }
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
  };
  return std::any_of(item.entries.begin(), item.entries.end(), [&](config::Entry const& entry) {
    return entry.key == "name" && plain(entry.value.text) == plain(name);
  });
}

Node const* next_node(Node const& node, Step const& step) {
  if (!step.bracket) {
    auto const found = std::find_if(node.entries.begin(), node.entries.end(),
                                    [&step](config::Entry const& entry) { return entry.key == step.text; });
    return found == node.entries.end() ? nullptr : &found->value;
  }
  std::size_t index = 0;
  char const* const end = step.text.data() + step.text.size();
  auto const [stop, error] = std::from_chars(step.text.data(), end, index);
  if (error == std::errc() && stop == end && index < node.items.size()) {
    return &node.items[index];
  }
  auto const found = std::find_if(node.items.begin(), node.items.end(),
                                  [&step](Node const& item) { return is_called(item, step.text); });
  return found == node.items.end() ? nullptr : &*found;
}

}  // namespace

Read<Object> read_json_object(std::string_view text, Kind kind, std::string const& name) {
  auto const document = document_of(text);
  return document ? read_object(*document, kind, name) : document.error();
}

Read<Object> read_json_row(std::string_view text, Kind kind, std::string const& name) {
  auto const document = document_of(text);
  return document ? read_row(*document, kind, name) : document.error();
}

Read<Objects> read_json_objects(std::string_view text) {
  auto const document = document_of(text);
  return document ? read_objects(*document) : document.error();
}

base::Place place_of(config::Document const& document, std::string_view path) {
  Node const* at = &document.root();
  for (Step const& step : steps_of(path)) {
    Node const* const next = next_node(*at, step);
    if (next == nullptr) {
      break;
    }
    at = next;
  }
  return {document.source(), at->line, at->column};
}

}  // namespace steering
