#include "mesh/graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace graph {
namespace {

constexpr double node_spacing = 110;  // between neighbours on a site's circle
constexpr double margin = 90;
constexpr double node_radius = 18;

char const* colour(LinkState state) {
  switch (state) {
    case LinkState::full:
      return "#2e7d32";
    case LinkState::partial:
      return "#ef6c00";
    case LinkState::down:
      return "#c62828";
    case LinkState::absent:
      return "#9e9e9e";
    case LinkState::unknown:
      return "#90caf9";
  }
  return "#c62828";
}

char const* colour(Node const& node) {
  return node.reachable ? "#2e7d32" : !node.joined ? "#9e9e9e" : node.known ? "#c62828" : "#90caf9";
}

// "10", "10/12" where the ends disagree, and the time where it was measured.
std::string label(Link const& link) {
  std::string out;
  if (link.cost_a != 0 || link.cost_b != 0) {
    out = link.cost_a == link.cost_b ? std::to_string(link.cost_a) : fmt::format("{}/{}", link.cost_a, link.cost_b);
  }
  if (link.rtt) {
    out += fmt::format("{}{:.1f} ms", out.empty() ? "" : ", ", static_cast<double>(link.rtt->count()) / 1000);
  }
  return out;
}

// Names of a topology hold nothing that either form would have to escape; its title is free text.
std::string escaped(std::string const& text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::map<std::string, std::vector<Node const*>> by_site(Picture const& picture) {
  std::map<std::string, std::vector<Node const*>> out;
  for (auto const& node : picture.nodes) {
    out[node.site].push_back(&node);
  }
  return out;
}

struct Point {
  double x = 0;
  double y = 0;
};

Point on_circle(Point centre, double radius, std::size_t at, std::size_t count) {
  double const angle =
      2 * std::numbers::pi * static_cast<double>(at) / static_cast<double>(count) - std::numbers::pi / 2;
  return {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)};
}

// The circle on which `count` places lie `spacing` apart.
double circle(std::size_t count, double spacing) {
  return count < 2 ? 0 : spacing / (2 * std::sin(std::numbers::pi / static_cast<double>(count)));
}

struct Layout {
  double size = 0;
  std::map<std::string, Point> sites;  // centre
  std::map<std::string, double> radius;
  std::map<std::string, Point> nodes;
};

Layout lay_out(Picture const& picture) {
  Layout out;
  auto const sites = by_site(picture);
  double widest = 0;
  for (auto const& [site, nodes] : sites) {
    out.radius[site] = circle(nodes.size(), node_spacing);
    widest = std::max(widest, out.radius[site]);
  }
  double const around = circle(sites.size(), 2 * widest + 2 * node_spacing);
  out.size = 2 * (around + widest + margin);
  Point const middle{out.size / 2, out.size / 2};
  std::size_t at = 0;
  for (auto const& [site, nodes] : sites) {
    Point const centre = on_circle(middle, around, at++, sites.size());
    out.sites[site] = centre;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      out.nodes[nodes[i]->name] = on_circle(centre, out.radius[site], i, nodes.size());
    }
  }
  return out;
}

}  // namespace

std::string to_dot(Picture const& picture) {
  std::string out =
      fmt::format("graph mesh {{\n  label=\"{}\";\n  node [shape=box, style=rounded];\n", escaped(picture.title));
  std::size_t number = 0;
  for (auto const& [site, nodes] : by_site(picture)) {
    out += fmt::format("  subgraph cluster_{} {{\n    label=\"{}\";\n", number++, site);
    for (auto const* node : nodes) {
      out += fmt::format("    \"{}\" [color=\"{}\"];\n", node->name, colour(*node));
    }
    out += "  }\n";
  }
  for (auto const& link : picture.links) {
    out += fmt::format("  \"{}\" -- \"{}\" [color=\"{}\", label=\"{}\"{}];\n", link.a, link.b, colour(link.state),
                       label(link), link.state == LinkState::full ? "" : ", style=dashed");
  }
  return out + "}\n";
}

std::string to_svg(Picture const& picture) {
  Layout const layout = lay_out(picture);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {0:.0f}\" font-family=\"sans-serif\" "
      "font-size=\"11\" text-anchor=\"middle\">\n<title>{1}</title>\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#fff\"/>\n",
      layout.size, escaped(picture.title));
  for (auto const& [site, centre] : layout.sites) {
    out += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"#f5f5f5\" stroke=\"#ddd\"/>\n"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#777\">{}</text>\n",
        centre.x, centre.y, layout.radius.at(site) + 48, centre.x, centre.y - layout.radius.at(site) - 54, site);
  }
  for (auto const& link : picture.links) {
    Point const a = layout.nodes.at(link.a);
    Point const b = layout.nodes.at(link.b);
    out += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"2\"{}>"
        "<title>{} -- {}: {}</title></line>\n",
        a.x, a.y, b.x, b.y, colour(link.state), link.state == LinkState::full ? "" : " stroke-dasharray=\"6 4\"",
        link.a, link.b, name(link.state));
    if (auto const text = label(link); !text.empty()) {
      out += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#333\" stroke=\"#fff\" stroke-width=\"3\" "
          "paint-order=\"stroke\">{}</text>\n",
          (a.x + b.x) / 2, (a.y + b.y) / 2 + 4, text);
    }
  }
  for (auto const& node : picture.nodes) {
    Point const at = layout.nodes.at(node.name);
    out += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.0f}\" fill=\"#fff\" stroke=\"{}\" stroke-width=\"3\">"
        "<title>{}, {}{}</title></circle>\n<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        at.x, at.y, node_radius, colour(node), node.name, node.role,
        node.reachable ? ""
        : !node.joined ? ", not joined yet"
        : node.known   ? ", unreachable"
                       : ", in other areas than the node that was asked",
        at.x, at.y + node_radius + 14, node.name);
  }
  return out + "</svg>\n";
}

}  // namespace graph
