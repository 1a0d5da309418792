#include "mesh/planning/report.hpp"

#include "mesh/plan/difference.hpp"
#include "mesh/plan/plan.hpp"
#include "routing/backup/passing.hpp"
#include "routing/backup/survey.hpp"
#include "routing/repair_links/repair_links.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <map>
#include <set>

namespace planning {
namespace {

namespace json = boost::json;

constexpr std::size_t most_lines_of_node = 40;
constexpr std::size_t most_weaknesses = 100;
constexpr std::size_t most_mends = 20;
constexpr std::size_t most_destinations = 512;
constexpr std::size_t most_links = 8;
constexpr std::size_t most_absent = 20;

std::string percent_text(double percent) {
  char text[16];
  // Rounded down: 100.0 is said only of all.
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(static_cast<int>(percent * 10)) / 10);
  return text;
}

base::Result<std::vector<plan::NodePlan>> plans_of(plan::World const& world, std::string const& node) {
  plan::Planner const planner(world);
  plan::PlanOptions options;
  options.assume_joined = true;
  std::vector<plan::NodePlan> out;
  for (auto const& one : world.topology.nodes) {
    if (!node.empty() && one.name != node) {
      continue;
    }
    auto planned = planner.node(one.name, options);
    if (!planned) {
      return planned.error();
    }
    out.push_back(std::move(*planned));
  }
  if (out.empty()) {
    return base::fail(plan::errc::unknown_node, "the topology has no node '" + node + "'");
  }
  return out;
}

// Plans are made as if these had keys.
std::vector<std::string> not_joined(plan::World const& world, std::string const& node) {
  std::vector<std::string> out;
  for (auto const& one : world.topology.nodes) {
    bool const asked = node.empty() || one.name == node ||
                       std::any_of(world.topology.links.begin(), world.topology.links.end(), [&](auto const& link) {
                         return (link.a == node && link.b == one.name) || (link.b == node && link.a == one.name);
                       });
    if (asked && !world.keys.contains(one.name)) {
      out.push_back(one.name);
    }
  }
  return out;
}

std::string not_joined_text(plan::World const& world, std::string const& node) {
  auto const names = not_joined(world, node);
  if (names.empty()) {
    return {};
  }
  std::string out = "not joined, as far as this machine knows:";
  for (std::size_t i = 0; i < std::min(most_absent, names.size()); ++i) {
    out += " " + names[i];
  }
  if (names.size() > most_absent) {
    out += " and " + std::to_string(names.size() - most_absent) + " more";
  }
  return out + "; their links are shown as they will be, and wait until then\n";
}

std::optional<plan::Difference> difference_of(Worlds const& worlds, std::string const& node) {
  if (!worlds.running) {
    return std::nullopt;
  }
  plan::PlanOptions options;
  options.assume_joined = true;
  options.rules = true;
  auto out = plan::difference(*worlds.running, worlds.wanted, options);
  if (!node.empty()) {
    std::erase_if(out.nodes, [&](auto const& one) { return one.node != node; });
    out.unchanged = out.nodes.empty() ? 1 : 0;
  }
  return out;
}

json::array texts(std::vector<std::string> const& lines) {
  json::array out;
  for (auto const& line : lines) {
    out.emplace_back(line);
  }
  return out;
}

json::array weaknesses_json(std::vector<proof::Weakness> const& found) {
  json::array out;
  for (auto const& weakness : found) {
    json::object one{{"kind", proof::name_of(weakness.kind)},
                     {"name", weakness.name},
                     {"area", weakness.area},
                     {"cut_off", texts(weakness.cut_off)},
                     {"cut_off_count", weakness.cut_off_count},
                     {"silenced", texts(weakness.silenced)},
                     {"mend", nullptr}};
    if (weakness.mend) {
      one["mend"] = weakness.mend->a + "--" + weakness.mend->b;
    }
    out.emplace_back(std::move(one));
  }
  return out;
}

std::vector<topology::Link> repair_links_of(topology::Topology const& topology) {
  std::vector<topology::Link> out;
  std::copy_if(topology.links.begin(), topology.links.end(), std::back_inserter(out),
               [](topology::Link const& link) { return link.repair; });
  return out;
}

std::string cases_text(backup::Survey const& survey) {
  std::string out =
      percent_text(survey.percent()) + " % of " + std::to_string(survey.cases) + " cases (node, link, destination)";
  if (survey.destinations < survey.of) {
    out += ", over " + std::to_string(survey.destinations) + " of " + std::to_string(survey.of) + " destinations";
  }
  return out;
}

// Instances of services that are on the way to the next one.
std::string passing_text(std::vector<backup::Passing> const& found) {
  std::string out;
  for (auto const& one : found) {
    out += "note: while " + one.instance + " has withdrawn service " + one.service + ", what " + one.nodes.front() +
           (one.nodes.size() > 1 ? " and " + std::to_string(one.nodes.size() - 1) + " others send" : " sends") +
           " to the next instance passes through it: its agent lets it through, rendered files do not\n";
  }
  return out;
}

json::array passing_json(std::vector<backup::Passing> const& found) {
  json::array out;
  for (auto const& one : found) {
    out.emplace_back(json::object{{"service", one.service}, {"instance", one.instance}, {"nodes", texts(one.nodes)}});
  }
  return out;
}

// What carries detours alone, or would.
std::string repair_text(topology::Topology const& topology, topology::Topology const& declared,
                        backup::Survey const& before) {
  auto const present = repair_links_of(topology);
  std::string out;
  if (!present.empty()) {
    out = "with " + std::to_string(present.size()) + " repair links they cover " +
          cases_text(backup::survey(topology, most_destinations)) + ":";
    for (std::size_t i = 0; i < std::min(most_links, present.size()); ++i) {
      out += " " + present[i].name();
    }
    return out + (present.size() > most_links ? " and others\n" : "\n");
  }
  if (before.covered == before.cases) {
    return out;
  }
  auto const choice = repair_links::choose(declared, {});
  if (!choice.why_none.empty()) {
    return topology.mesh.repair_links ? "no repair links are chosen: " + choice.why_none + "\n" : out;
  }
  if (choice.links.empty() || topology.mesh.repair_links) {
    return out;
  }
  backup::Survey const with{0, 0, choice.cases, choice.covered_with};
  out = "hint: " + std::to_string(choice.links.size()) + " repair links would bring that to " +
        percent_text(with.percent()) + " % (mesh: {repair_links: auto}); those that bring most:";
  for (std::size_t i = 0; i < std::min(most_links, choice.links.size()); ++i) {
    out += " " + choice.links[i].link.name() + " (" + std::to_string(choice.links[i].cases) + " cases)";
  }
  return out + "\n";
}

json::object coverage_json(topology::Topology const& topology, topology::Topology const& declared) {
  auto const survey = backup::survey(declared, most_destinations);
  json::object out{
      {"destinations", survey.destinations}, {"of", survey.of}, {"cases", survey.cases}, {"covered", survey.covered}};
  json::array links;
  for (auto const& link : repair_links_of(topology)) {
    links.emplace_back(link.name());
  }
  out["repair_links"] = std::move(links);
  out["covered_with_repair_links"] = backup::survey(topology, most_destinations).covered;
  json::array suggested;
  if (!topology.mesh.repair_links && survey.covered < survey.cases) {
    for (auto const& chosen : repair_links::choose(declared, {}).links) {
      suggested.emplace_back(json::object{{"link", chosen.link.name()}, {"cases", chosen.cases}});
    }
  }
  out["suggested"] = std::move(suggested);
  return out;
}

void group_into(std::map<std::pair<std::string, std::string>, verify::Group>& groups, std::string const& kind,
                std::string const& name, std::string const& node) {
  auto& group = groups[{kind, name}];
  group.kind = kind;
  group.name = name;
  group.nodes.push_back(node);
}

}  // namespace

std::string weaknesses_text(topology::Topology const& topology, std::vector<proof::Weakness> const& found) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most_weaknesses, found.size()); ++i) {
    out += "warning: " + proof::to_text(found[i]) + "\n";
  }
  if (found.size() > most_weaknesses) {
    out += "warning: and " + std::to_string(found.size() - most_weaknesses) + " single points of failure more\n";
  }
  if (found.size() > 1) {
    std::string links;
    auto const mends = proof::mends(topology, most_mends);
    for (auto const& mend : mends) {
      links += " " + mend.a + "--" + mend.b;
    }
    if (!mends.empty()) {
      out += "hint: these links together mend " +
             std::string(mends.size() == most_mends ? "a part of it:" : "all that links can:") + links + "\n";
    }
  }
  return out;
}

std::string soundness_text(topology::Topology const& topology) {
  auto const declared = repair_links::without(topology);
  auto const found = proof::weaknesses(declared);
  std::string const out = found.empty() ? "no single node, link, site, provider or risk disconnects anything\n"
                                        : weaknesses_text(declared, found);
  auto const survey = backup::survey(declared, most_destinations);
  return out + passing_text(backup::passing(declared)) + "loop-free alternates cover " + cases_text(survey) + "\n" +
         repair_text(topology, declared, survey);
}

base::Result<std::string> plan_text(Worlds const& worlds, ReportOptions const& options) {
  std::string out;
  if (worlds.running && !options.whole) {
    if (!options.node.empty() && worlds.wanted.topology.node(options.node) == nullptr &&
        worlds.running->topology.node(options.node) == nullptr) {
      return base::fail(plan::errc::unknown_node, "neither topology has a node '" + options.node + "'");
    }
    out = "against " + worlds.running_from + "\n";
    out += plan::to_text(*difference_of(worlds, options.node), most_lines_of_node);
  } else {
    auto const plans = plans_of(worlds.wanted, options.node);
    if (!plans) {
      return plans.error();
    }
    for (auto const& one : *plans) {
      out += plan::to_text(one);
    }
  }
  return out + not_joined_text(worlds.wanted, options.node) + soundness_text(worlds.wanted.topology);
}

base::Result<std::string> plan_json(Worlds const& worlds, ReportOptions const& options) {
  auto const plans = plans_of(worlds.wanted, options.node);
  if (!plans) {
    return plans.error();
  }
  auto const difference = difference_of(worlds, options.node);
  auto const declared = repair_links::without(worlds.wanted.topology);
  // The plans are many and are text already, so the other members are put behind them.
  std::string out = plan::to_json(*plans);
  out.pop_back();
  out += ",\"difference\":" + (difference ? plan::to_json(*difference) : std::string("null"));
  out += ",\"not_joined\":" + json::serialize(texts(not_joined(worlds.wanted, options.node)));
  out += ",\"weaknesses\":" + json::serialize(weaknesses_json(proof::weaknesses(declared)));
  out += ",\"passing\":" + json::serialize(passing_json(backup::passing(declared)));
  out += ",\"coverage\":" + json::serialize(coverage_json(worlds.wanted.topology, declared));
  return out + "}";
}

verify::Subject subject_of(topology::Topology const& topology) {
  std::set<std::string_view> tenants;
  for (auto const& segment : topology.segments) {
    tenants.insert(segment.nodes.begin(), segment.nodes.end());
  }
  std::map<std::string_view, std::string_view> providers;
  for (auto const& site : topology.sites) {
    providers.emplace(site.name, site.provider);
  }
  verify::Subject out;
  std::map<std::pair<std::string, std::string>, verify::Group> groups;
  for (auto const& node : topology.nodes) {
    if (tenants.contains(node.name)) {
      continue;
    }
    out.nodes.push_back(node.name);
    group_into(groups, "site", node.site, node.name);
    if (auto const& provider = providers[node.site]; !provider.empty()) {
      group_into(groups, "provider", std::string(provider), node.name);
    }
    for (auto const& risk : node.risks) {
      group_into(groups, "risk", risk, node.name);
    }
  }
  for (auto const& link : topology.links) {
    out.links.emplace_back(link.a, link.b);
    for (auto const& risk : link.risks) {
      auto& group = groups[{"risk", risk}];
      group.kind = "risk";
      group.name = risk;
      group.links.emplace_back(link.a, link.b);
    }
  }
  for (auto& [key, group] : groups) {
    out.groups.push_back(std::move(group));
  }
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> areas;
  for (auto const& link : topology.links) {
    areas[topology.area_of(link)].emplace_back(link.a, link.b);
  }
  for (auto const& [area, links] : areas) {
    if (areas.size() > 1) {
      out.areas.push_back({area, links});
    }
  }
  for (auto const& service : topology.services) {
    out.reliances.push_back({"service", service.name, service.nodes});
  }
  for (auto const& segment : topology.segments) {
    out.reliances.push_back({"segment", segment.name, segment.gateways});
  }
  return out;
}

}  // namespace planning
