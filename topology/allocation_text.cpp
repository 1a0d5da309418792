// The file form of an Allocation:
//
//   node <name> <id> [removed <seconds since the epoch>]
//   link <a>--<b> <id> <port on a> <port on b> [repair] [removed <seconds since the epoch>]
//
// sorted, one identity a line, '#' begins a comment line.
#include "topology/allocation.hpp"
#include "topology/values/values.hpp"

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
  explicit Parser(std::string source) : source_(std::move(source)) {}

  boost::system::result<Allocation, base::Problems> run(std::string_view text) {
    while (!text.empty() && problems_.size() < most_problems) {
      auto const end = std::min(text.find('\n'), text.size());
      line_ = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number_;
      if (auto const words = words_of(line_); !words.empty() && words[0].front() != '#') {
        take(words);
      }
    }
    if (!problems_.empty()) {
      return std::move(problems_);
    }
    return std::move(allocation_);
  }

 private:
  static constexpr std::size_t most_problems = 1000;

  void fail(std::string_view word, std::string message, std::string hint = {}) {
    base::Problem problem;
    problem.place = {source_, number_, static_cast<int>(word.data() - line_.data()) + 1};
    problem.message = std::move(message);
    problem.hint = std::move(hint);
    problems_.push_back(std::move(problem));
  }

  void take(std::vector<std::string_view> words) {
    std::int64_t removed_at = 0;
    std::size_t const usual = words[0] == "node" ? 3 : 5;
    if (words.size() == usual + 2 && words[usual] == "removed") {
      if (!read_number(words.back(), removed_at)) {
        fail(words.back(), "'removed' wants the time in seconds");
        return;
      }
      words.resize(usual);
    }
    bool const repair = words[0] == "link" && words.size() == 6 && words[5] == "repair";
    words.resize(words.size() - (repair ? 1U : 0U));
    if (words[0] == "node" && words.size() == 3) {
      take_node(words, removed_at);
    } else if (words[0] == "link" && words.size() == 5) {
      take_link(words, removed_at, repair);
    } else {
      fail(words[0], "neither 'node NAME ID' nor 'link A--B ID PORT PORT'");
    }
  }

  void take_node(std::vector<std::string_view> const& words, std::int64_t removed_at) {
    NodeIdentity identity{0, removed_at};
    if (!is_label(words[1]) || !read_number(words[2], identity.id)) {
      fail(words[1], "not a node name and its id");
      return;
    }
    auto const [first, is_new] = node_ids_.emplace(identity.id, number_);
    if (!is_new) {
      fail(words[2], "this node id is there twice",
           "it is also on line " + std::to_string(first->second) + "; drop the line of the node that joined later");
    }
    if (!allocation_.nodes.emplace(words[1], identity).second) {
      fail(words[1], "this node is there twice", "drop one of the lines");
    }
  }

  void take_link(std::vector<std::string_view> const& words, std::int64_t removed_at, bool repair) {
    LinkIdentity identity{0, 0, 0, removed_at, repair};
    if (!is_link_name(words[1]) || !read_number(words[2], identity.id) || !read_number(words[3], identity.port_a) ||
        !read_number(words[4], identity.port_b)) {
      fail(words[1], "not a link name, its id and its two ports");
      return;
    }
    auto const [first, is_new] = link_ids_.emplace(identity.id, number_);
    if (!is_new) {
      fail(words[2], "this link id is there twice", "it is also on line " + std::to_string(first->second));
    }
    auto const middle = words[1].find("--");
    bool const free_a = ports_.emplace(words[1].substr(0, middle), identity.port_a).second;
    bool const free_b = ports_.emplace(words[1].substr(middle + 2), identity.port_b).second;
    if (!free_a || !free_b) {
      fail(free_a ? words[4] : words[3], "this port is there twice on one node");
    }
    if (!allocation_.links.emplace(words[1], identity).second) {
      fail(words[1], "this link is there twice", "drop one of the lines");
    }
  }

  std::string source_;
  std::string_view line_;
  int number_ = 0;
  base::Problems problems_;
  Allocation allocation_;
  std::map<std::uint32_t, int> node_ids_;  // the line each is on
  std::map<std::uint32_t, int> link_ids_;
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
           std::to_string(identity.port_b) + (identity.repair ? " repair" : "") + removed(identity.removed_at) + "\n";
  }
  return out;
}

boost::system::result<Allocation, base::Problems> load_allocation(std::string_view text, std::string const& source) {
  return Parser(source).run(text);
}

base::Result<Allocation> parse_allocation(std::string_view text) {
  auto loaded = load_allocation(text, "allocation");
  if (!loaded) {
    auto const first = loaded.error().front();
    return base::fail(errc::bad_file, "line " + std::to_string(first.place.line) + ": " + first.message);
  }
  return std::move(*loaded);
}

}  // namespace topology
