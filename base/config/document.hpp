// A YAML text as an immutable tree in which every key and value knows its line and column.
//
// Only a plain subset of YAML is accepted, so that a file has one meaning to a person and to the program: one
// document, keys that are plain text, each key once per section, no anchors, aliases or tags. Everything a person can
// get wrong in the syntax is reported as base::Problems with its place; the meaning of keys is the business of Reader
// (reader.hpp).
//
// Threads: pure functions and immutable values.
#pragma once

#include "base/result/problem.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace config {

inline constexpr std::size_t max_document_bytes = 4 * 1024 * 1024;  // a mesh of 10,000 nodes is 1.5 MB
inline constexpr int max_depth = 32;

struct Entry;

struct Node {
  enum class Kind { nothing, scalar, list, section };

  Kind kind = Kind::nothing;
  int line = 1;                // from 1
  int column = 1;              // from 1
  std::string text;            // scalar: as written, quotes and escapes resolved
  std::vector<Node> items;     // list
  std::vector<Entry> entries;  // section, in the order of the file

  // "a list", "a section", "text" or "nothing": for messages.
  [[nodiscard]] char const* kind_name() const;
};

struct Entry {
  std::string key;
  int line = 1;  // of the key
  int column = 1;
  Node value;
};

class Document {
 public:
  // Problems: larger than max_document_bytes, deeper than max_depth, not YAML, more than one document, a key twice, a
  // key that is not text, an anchor, an alias or a tag. An empty text is a document whose root is `nothing`.
  static boost::system::result<Document, base::Problems> parse(std::string_view text, std::string source_name);

  // Reads the file and parses it; the path is the source name. A file that cannot be read is one problem. Blocks.
  static boost::system::result<Document, base::Problems> load(std::string const& path);

  // A tree that was made elsewhere, for instance of JSON: read by the same Reader. Lines of 0 are places nobody knows.
  static Document of(Node root, std::string source_name);

  [[nodiscard]] Node const& root() const { return *root_; }
  [[nodiscard]] std::string const& source() const { return source_; }

 private:
  Document(std::shared_ptr<Node const> root, std::string source) : root_(std::move(root)), source_(std::move(source)) {}

  std::shared_ptr<Node const> root_;
  std::string source_;

  friend class Reader;
};

}  // namespace config
