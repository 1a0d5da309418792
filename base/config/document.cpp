#include "base/config/document.hpp"

#include "base/config/nearest.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace config {
namespace {

// Thrown through the parser when going on makes no sense; the problem is already in the list.
struct GaveUp {};

int line_of(YAML::Mark const& mark) {
  return mark.is_null() ? 1 : mark.line + 1;
}
int column_of(YAML::Mark const& mark) {
  return mark.is_null() ? 1 : mark.column + 1;
}

// Builds the tree from the parser's events, which, unlike yaml-cpp's own node tree, still have both of two equal keys
// and a place for every one of them.
class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string source, base::Problems& problems) : source_(std::move(source)), problems_(problems) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(YAML::Mark const&) override {}
  void OnDocumentEnd() override {}

  void OnNull(YAML::Mark const& mark, YAML::anchor_t) override {
    Node node;
    // The parser's mark of an absent value is wherever it noticed; the key is what a person looks for.
    bool const in_section = !open_.empty() && open_.back().node.kind == Node::Kind::section && open_.back().key;
    node.line = in_section ? open_.back().key->line : line_of(mark);
    node.column = in_section ? open_.back().key->column : column_of(mark);
    place(std::move(node), mark);
  }

  void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override {
    problem(mark, "aliases (*name) are not accepted", "write the value out");
    place(Node{}, mark);
  }

  void OnAnchor(YAML::Mark const& mark, std::string const&) override {
    problem(mark, "anchors (&name) are not accepted", "write the value out where it is needed");
  }

  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t, std::string const& value) override {
    check_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.line = line_of(mark);
    node.column = column_of(mark);
    node.text = value;
    place(std::move(node), mark);
  }

  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    start(mark, Node::Kind::list);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    start(mark, Node::Kind::section);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Node node;
    std::optional<Entry> key;          // section: the key whose value comes next
    std::map<std::string, int> lines;  // section: where each key was first written
    bool is_key = false;               // this node stands where a key belongs
  };

  void problem(YAML::Mark const& mark, std::string message, std::string hint) {
    problems_.push_back({{source_, line_of(mark), column_of(mark)}, path(), std::move(message), std::move(hint)});
  }

  [[nodiscard]] std::string path() const {
    std::string out;
    for (auto const& open : open_) {
      if (open.node.kind == Node::Kind::list) {
        out += "[" + std::to_string(open.node.items.size()) + "]";
      } else if (open.key) {
        out += (out.empty() ? "" : ".") + open.key->key;
      }
    }
    return out;
  }

  void check_tag(YAML::Mark const& mark, std::string const& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      problem(mark, "tags (!name) are not accepted", "leave the tag out");
    }
  }

  void start(YAML::Mark const& mark, Node::Kind kind) {
    if (open_.size() >= static_cast<std::size_t>(max_depth)) {
      problem(mark, "nested deeper than " + std::to_string(max_depth) + " levels", "");
      throw GaveUp{};
    }
    Open open;
    open.is_key = !open_.empty() && open_.back().node.kind == Node::Kind::section && !open_.back().key;
    open.node.kind = kind;
    open.node.line = line_of(mark);
    open.node.column = column_of(mark);
    open_.push_back(std::move(open));
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    YAML::Mark mark;
    mark.line = done.node.line - 1;
    mark.column = done.node.column - 1;
    place(std::move(done.node), mark);
  }

  // A finished node goes where the parser stands: the root, a list, a key or the value of the pending key.
  void place(Node node, YAML::Mark const& mark) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!parent.key) {
      begin_entry(parent, node, mark);
      return;
    }
    Entry entry = std::move(*parent.key);
    parent.key.reset();
    entry.value = std::move(node);
    parent.node.entries.push_back(std::move(entry));
  }

  void begin_entry(Open& parent, Node const& node, YAML::Mark const& mark) {
    Entry entry;
    entry.key = node.text;
    entry.line = line_of(mark);
    entry.column = column_of(mark);
    if (node.kind != Node::Kind::scalar || node.text.empty()) {
      problem(mark, std::string("a key must be text, not ") + node.kind_name(), "write key: value");
    } else {
      auto const [first, is_new] = parent.lines.emplace(node.text, entry.line);
      if (!is_new) {
        problem(mark, "the key " + quoted(node.text) + " is written twice in one section",
                "first on line " + std::to_string(first->second));
      }
    }
    parent.key = std::move(entry);
  }

  std::string source_;
  base::Problems& problems_;
  std::vector<Open> open_;
  Node root_;
};

base::Problems one(std::string const& source, std::string message, std::string hint) {
  return {{{source, 0, 0}, "", std::move(message), std::move(hint)}};
}

void run_parser(std::string_view text, std::string const& source, Builder& builder, base::Problems& problems) {
  class Ignore final : public YAML::EventHandler {
    void OnDocumentStart(YAML::Mark const&) override {}
    void OnDocumentEnd() override {}
    void OnNull(YAML::Mark const&, YAML::anchor_t) override {}
    void OnAlias(YAML::Mark const&, YAML::anchor_t) override {}
    void OnScalar(YAML::Mark const&, std::string const&, YAML::anchor_t, std::string const&) override {}
    void OnSequenceStart(YAML::Mark const&, std::string const&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(YAML::Mark const&, std::string const&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Ignore ignore;
    if (parser.HandleNextDocument(builder) && parser.HandleNextDocument(ignore)) {
      problems.push_back({{source, 0, 0}, "", "more than one document", "remove the '---' lines"});
    }
  } catch (GaveUp const&) {
  } catch (YAML::Exception const& error) {
    problems.push_back({{source, line_of(error.mark), column_of(error.mark)}, "", "not YAML: " + error.msg, ""});
  } catch (std::exception const& error) {
    problems.push_back({{source, 0, 0}, "", std::string("not YAML: ") + error.what(), ""});
  }
}

}  // namespace

char const* Node::kind_name() const {
  switch (kind) {
    case Kind::scalar:
      return text.empty() ? "an empty text" : "text";
    case Kind::list:
      return "a list";
    case Kind::section:
      return "a section";
    case Kind::nothing:
      break;
  }
  return "nothing";
}

boost::system::result<Document, base::Problems> Document::parse(std::string_view text, std::string source_name) {
  if (text.size() > max_document_bytes) {
    return one(source_name, "larger than " + std::to_string(max_document_bytes) + " bytes", "");
  }
  if (auto const nul = text.find('\0'); nul != std::string_view::npos) {
    return one(source_name, "not text: a zero byte at offset " + std::to_string(nul), "");
  }
  base::Problems problems;
  Builder builder(source_name, problems);
  run_parser(text, source_name, builder, problems);
  if (!problems.empty()) {
    return problems;
  }
  return Document(std::make_shared<Node const>(builder.take_root()), std::move(source_name));
}

Document Document::of(Node root, std::string source_name) {
  return Document(std::make_shared<Node const>(std::move(root)), std::move(source_name));
}

boost::system::result<Document, base::Problems> Document::load(std::string const& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return one(path, std::string("cannot be read: ") + std::strerror(errno), "");
  }
  // One byte more than the limit tells a file that is too large from one that just fits.
  std::string text(max_document_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return one(path, std::string("cannot be read: ") + std::strerror(errno), "");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse(text, path);
}

}  // namespace config
