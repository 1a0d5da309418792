#include "topology/verify/certificate.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace verify {
namespace {

namespace json = boost::json;
using Numbers = std::vector<std::uint32_t>;

// Boost's category has no virtual destructor; this one is a static object and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "verify"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::not_a_certificate:
        return "not a certificate";
      case errc::another_graph:
        return "not about this mesh";
      case errc::not_proved:
        return "nothing is proved";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

// Reads member after member; the first mistake ends it.
class Reading {
 public:
  explicit Reading(json::object const& root) : root_(root) {}

  base::Result<Certificate> run() {
    static constexpr std::array known = {"format", "topology", "digest", "nodes", "links",     "groups", "reliances",
                                         "order",  "back",     "onward", "trees", "survivors", "areas"};
    for (auto const& [key, value] : root_) {
      if (std::find(known.begin(), known.end(), std::string_view(key.data(), key.size())) == known.end()) {
        fail(std::string(key), "a certificate has no such member");
      }
    }
    if (text(root_, "", "format") != "sovereign-mesh-proof-1") {
      fail("format", "is not 'sovereign-mesh-proof-1'");
    }
    out_.topology = text(root_, "", "topology");
    out_.digest = text(root_, "", "digest");
    read_nodes();
    read_links();
    out_.groups = groups("groups", true);
    out_.reliances = groups("reliances", false);
    out_.order = numbers(root_, "", "order", node_count());
    out_.back = numbers(root_, "", "back", link_count());
    out_.onward = numbers(root_, "", "onward", link_count());
    out_.trees = lists(root_, "", "trees", link_count());
    out_.survivors = lists(root_, "", "survivors", node_count());
    if (root_.contains("areas")) {
      read_areas();
    }
    if (!mistake_.empty()) {
      return base::fail(errc::not_a_certificate, mistake_);
    }
    return std::move(out_);
  }

 private:
  void fail(std::string const& place, std::string const& message) {
    if (mistake_.empty()) {
      mistake_ = place + ": " + message;
    }
  }

  [[nodiscard]] std::size_t node_count() const { return out_.nodes.size(); }
  [[nodiscard]] std::size_t link_count() const { return out_.links.size(); }

  std::string text(json::object const& object, std::string const& where, char const* key) {
    auto const* const value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) {
      fail(where + key, "is not a text");
      return {};
    }
    std::string out(value->get_string());
    // The graph's text, of which the digest is made, has blanks and line ends between names.
    if (std::any_of(out.begin(), out.end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
      fail(where + key, "holds a blank or a control character");
    }
    return out;
  }

  json::array const& list(json::object const& object, std::string const& where, char const* key) {
    static json::array const empty;
    auto const* const value = object.if_contains(key);
    if (value == nullptr || !value->is_array()) {
      fail(where + key, "is not a list");
      return empty;
    }
    return value->get_array();
  }

  Numbers numbers(json::array const& items, std::string const& where, std::size_t bound) {
    Numbers out;
    out.reserve(items.size());
    for (auto const& item : items) {
      if (!item.is_int64() || item.get_int64() < 0 || static_cast<std::uint64_t>(item.get_int64()) >= bound) {
        fail(where + "[" + std::to_string(out.size()) + "]", "is not a number below " + std::to_string(bound));
        return out;
      }
      out.push_back(static_cast<std::uint32_t>(item.get_int64()));
    }
    return out;
  }

  Numbers numbers(json::object const& object, std::string const& where, char const* key, std::size_t bound) {
    return numbers(list(object, where, key), where + key, bound);
  }

  void read_nodes() {
    for (auto const& item : list(root_, "", "nodes")) {
      auto const place = "nodes[" + std::to_string(out_.nodes.size()) + "]";
      if (!item.is_string() || item.get_string().empty()) {
        fail(place, "is not a name");
        return;
      }
      std::string name(item.get_string());
      if (std::any_of(name.begin(), name.end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
        fail(place, "holds a blank or a control character");
      }
      if (!out_.nodes.empty() && name <= out_.nodes.back()) {
        fail(place, "is not behind the name before it");
      }
      out_.nodes.push_back(std::move(name));
    }
  }

  void read_links() {
    for (auto const& item : list(root_, "", "links")) {
      auto const place = "links[" + std::to_string(out_.links.size()) + "]";
      if (!item.is_array() || item.get_array().size() != 2) {
        fail(place, "is not two nodes");
        return;
      }
      auto const ends = numbers(item.get_array(), place, node_count());
      if (ends.size() != 2) {
        return;
      }
      std::pair const link(ends[0], ends[1]);
      if (link.first >= link.second || (!out_.links.empty() && link <= out_.links.back())) {
        fail(place, "is not in order");
      }
      out_.links.push_back(link);
    }
  }

  void ascending(Numbers const& items, std::string const& place) {
    if (std::adjacent_find(items.begin(), items.end(), std::greater_equal<>()) != items.end()) {
      fail(place, "is not in order");
    }
  }

  std::vector<ReadGroup> groups(char const* key, bool with_links) {
    std::vector<ReadGroup> out;
    for (auto const& item : list(root_, "", key)) {
      auto const place = std::string(key) + "[" + std::to_string(out.size()) + "]";
      if (!item.is_object()) {
        fail(place, "is not an object");
        return out;
      }
      auto const& object = item.get_object();
      ReadGroup group;
      group.kind = text(object, place + ".", "kind");
      group.name = text(object, place + ".", "name");
      group.nodes = numbers(object, place + ".", "nodes", node_count());
      ascending(group.nodes, place + ".nodes");
      if (with_links) {
        group.links = numbers(object, place + ".", "links", link_count());
        ascending(group.links, place + ".links");
      }
      out.push_back(std::move(group));
    }
    return out;
  }

  void read_areas() {
    for (auto const& item : list(root_, "", "areas")) {
      auto const place = "areas[" + std::to_string(out_.areas.size()) + "]";
      if (!item.is_object()) {
        fail(place, "is not an object");
        return;
      }
      auto const& object = item.get_object();
      auto const where = place + ".";
      // An area has a node more than it has of the mesh's, and a link for each of those.
      auto const most_nodes = node_count() + 1;
      auto const most_links = link_count() + node_count();
      ReadArea area;
      area.name = text(object, where, "area");
      area.links = numbers(object, where, "links", link_count());
      ascending(area.links, where + "links");
      area.order = numbers(object, where, "order", most_nodes);
      area.back = numbers(object, where, "back", most_links);
      area.onward = numbers(object, where, "onward", most_links);
      area.trees = lists(object, where, "trees", most_links);
      out_.areas.push_back(std::move(area));
    }
  }

  std::vector<Numbers> lists(json::object const& object, std::string const& where, char const* key, std::size_t bound) {
    std::vector<Numbers> out;
    for (auto const& item : list(object, where, key)) {
      auto const place = where + key + "[" + std::to_string(out.size()) + "]";
      if (!item.is_array()) {
        fail(place, "is not a list");
        return out;
      }
      out.push_back(numbers(item.get_array(), place, bound));
    }
    return out;
  }

  json::object const& root_;
  Certificate out_;
  std::string mistake_;
};

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

base::Result<Certificate> read_certificate(std::string_view text) {
  if (text.size() > size_limit) {
    return base::fail(errc::not_a_certificate, "it is larger than " + std::to_string(size_limit) + " bytes");
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  auto const value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) {
    return base::fail(errc::not_a_certificate, "it is not JSON: " + error.message());
  }
  if (!value.is_object()) {
    return base::fail(errc::not_a_certificate, "it is not a JSON object");
  }
  return Reading(value.get_object()).run();
}

}  // namespace verify
