// The file form of an Allocation:
//
//   node <name> <id> [removed <seconds since the epoch>]
//   link <a>--<b> <id> <port on a> <port on b> [removed <seconds since the epoch>]
//
// sorted, one identity a line, '#' begins a comment line.
#include "topology/allocation.hpp"
#include "topology/values.hpp"

#include <charconv>
#include <set>
#include <vector>

namespace topology {
namespace {

constexpr std::string_view header =
    "# Numbers of the mesh: node ids, link ids and ports. Keep this file with the topology and let the program\n"
    "# write it: a number that moves cuts off every peer that has not heard of it.\n";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < line.size()) {
    auto const start = line.find_first_not_of(" \t", at);
    if (start == std::string_view::npos) {
      break;
    }
    auto const end = std::min(line.find_first_of(" \t", start), line.size());
    words.push_back(line.substr(start, end - start));
    at = end;
  }
  return words;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0;
}

bool is_link_name(std::string_view name) {
  auto const middle = name.find("--");
  if (middle == std::string_view::npos) {
    return false;
  }
  auto const a = name.substr(0, middle);
  auto const b = name.substr(middle + 2);
  return is_label(a) && is_label(b) && a < b;
}

// Reads the file line by line and holds every number against the ones before it: two nodes with one id would get the
// same address.
class Parser {
 public:
  base::Result<Allocation> run(std::string_view text) {
    int line_number = 0;
    while (!text.empty()) {
      auto const end = std::min(text.find('\n'), text.size());
      auto const line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++line_number;
      auto const words = words_of(line);
      if (words.empty() || words[0].front() == '#') {
        continue;
      }
      if (char const* const wrong = take(words); wrong != nullptr) {
        return base::fail(errc::bad_file, "line " + std::to_string(line_number) + ": " + wrong);
      }
    }
    return std::move(allocation_);
  }

 private:
  // What is wrong with the line, or nullptr.
  char const* take(std::vector<std::string_view> words) {
    std::int64_t removed_at = 0;
    std::size_t const usual = words[0] == "node" ? 3 : 5;
    if (words.size() == usual + 2 && words[usual] == "removed") {
      if (!read_number(words.back(), removed_at)) {
        return "'removed' wants the time in seconds";
      }
      words.resize(usual);
    }
    if (words[0] == "node" && words.size() == 3) {
      return take_node(words, removed_at);
    }
    if (words[0] == "link" && words.size() == 5) {
      return take_link(words, removed_at);
    }
    return "neither 'node NAME ID' nor 'link A--B ID PORT PORT'";
  }

  char const* take_node(std::vector<std::string_view> const& words, std::int64_t removed_at) {
    NodeIdentity identity{0, removed_at};
    if (!is_label(words[1]) || !read_number(words[2], identity.id)) {
      return "not a node name and its id";
    }
    if (!node_ids_.insert(identity.id).second) {
      return "this node id is there twice";
    }
    return allocation_.nodes.emplace(words[1], identity).second ? nullptr : "this node is there twice";
  }

  char const* take_link(std::vector<std::string_view> const& words, std::int64_t removed_at) {
    LinkIdentity identity{0, 0, 0, removed_at};
    if (!is_link_name(words[1]) || !read_number(words[2], identity.id) || !read_number(words[3], identity.port_a) ||
        !read_number(words[4], identity.port_b)) {
      return "not a link name, its id and its two ports";
    }
    if (!link_ids_.insert(identity.id).second) {
      return "this link id is there twice";
    }
    auto const middle = words[1].find("--");
    if (!ports_.emplace(words[1].substr(0, middle), identity.port_a).second ||
        !ports_.emplace(words[1].substr(middle + 2), identity.port_b).second) {
      return "this port is there twice on one node";
    }
    return allocation_.links.emplace(words[1], identity).second ? nullptr : "this link is there twice";
  }

  Allocation allocation_;
  std::set<std::uint32_t> node_ids_;
  std::set<std::uint32_t> link_ids_;
  std::set<std::pair<std::string, std::uint16_t>> ports_;
};

}  // namespace

std::string to_text(Allocation const& allocation) {
  auto const removed = [](std::int64_t at) { return at == 0 ? std::string() : " removed " + std::to_string(at); };
  std::string out(header);
  for (auto const& [name, identity] : allocation.nodes) {
    out += "node " + name + " " + std::to_string(identity.id) + removed(identity.removed_at) + "\n";
  }
  for (auto const& [name, identity] : allocation.links) {
    out += "link " + name + " " + std::to_string(identity.id) + " " + std::to_string(identity.port_a) + " " +
           std::to_string(identity.port_b) + removed(identity.removed_at) + "\n";
  }
  return out;
}

base::Result<Allocation> parse_allocation(std::string_view text) {
  return Parser{}.run(text);
}

}  // namespace topology
