#include "mesh/doctor/examination.hpp"

#include <algorithm>

namespace doctor {
namespace {

std::string family(std::string const& protocol) {
  return protocol == "ospf6" ? "IPv6" : "IPv4";
}

void not_full(Examination& examination, bird::Neighbor const& neighbor) {
  bool const exchanging = neighbor.state.starts_with("Ex") || neighbor.state.starts_with("Loading");
  examination.error("adjacency-stuck", neighbor.interface,
                    examination.link(neighbor.interface) + " is " + neighbor.state + " and not Full (" +
                        family(neighbor.protocol) + ")",
                    exchanging ? "compare the MTU at both ends: an exchange of packets of different sizes never ends"
                               : "packets come one way only: compare keys, area and hello intervals of both ends");
}

void adjacencies(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& device : facts.plan->devices) {
    if (examination.explained(device.name)) {
      continue;
    }
    for (std::string const protocol : {"ospf4", "ospf6"}) {
      auto const found = std::find_if(facts.neighbors.begin(), facts.neighbors.end(), [&](bird::Neighbor const& one) {
        return one.protocol == protocol && one.interface == device.name;
      });
      if (found == facts.neighbors.end()) {
        examination.error(
            "adjacency-missing", device.name,
            examination.link(device.name) + " has no OSPF neighbour (" + family(protocol) + ")",
            "see that BIRD runs at the other end, and that no firewall drops protocol 89 on " + device.name);
      } else if (!found->full()) {
        not_full(examination, *found);
      }
    }
  }
}

// A neighbour that calls itself otherwise than the node which the link leads to.
void identities(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& neighbor : facts.neighbors) {
    auto const wanted = facts.router_id_of_device.find(neighbor.interface);
    if (wanted != facts.router_id_of_device.end() && !neighbor.router_id.empty() &&
        neighbor.router_id != wanted->second) {
      examination.error(
          "router-id", neighbor.interface,
          examination.link(neighbor.interface) + " ends at router " + neighbor.router_id + ", not " + wanted->second,
          "two nodes run with one identity, or BIRD there runs with an old file: restart its agent");
    }
  }
}

void bfd(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& neighbor : bird::full_without_bfd(facts.neighbors, facts.bfd)) {
    examination.error("full-without-bfd", neighbor.interface,
                      examination.link(neighbor.interface) + " is Full, but its BFD session is not Up (" +
                          family(neighbor.protocol) + "): a silent loss would cost the dead interval",
                      "open UDP 3784 and 3785 on " + neighbor.interface + " at both ends");
  }
}

std::string listed(std::vector<std::uint32_t> const& costs) {
  std::string out;
  for (auto const cost : costs) {
    out += (out.empty() ? "" : ", ") + std::to_string(cost);
  }
  return out.empty() ? "none" : out;
}

// A router that wants no transit calls every link of its own as costly as can be (RFC 6987).
bool drained(LinkCost const& link) {
  constexpr std::uint32_t max_link_metric = 0xffff;
  return link.own.back() >= max_link_metric || link.other.back() >= max_link_metric;
}

void costs(Examination& examination) {
  for (auto const& link : examination.facts().costs) {
    if (!link.own.empty() && !link.other.empty() && link.own != link.other && !drained(link)) {
      examination.warning("asymmetric-cost", link.router_id,
                          "the way to router " + link.router_id + " costs " + listed(link.own) + ", and back " +
                              listed(link.other) + " (" + family(link.protocol) + ")",
                          "packets come back another way: give the link one cost, and see that both ends run the same "
                          "revision (privateer status)");
    }
  }
}

}  // namespace

void examine_routing(Examination& examination) {
  Facts const& facts = examination.facts();
  if (facts.plan == nullptr) {
    return;
  }
  if (!facts.bird_running) {
    examination.error("bird-down", "", "BIRD does not answer on its control socket",
                      "start it, or see why it ends: bird -p -c the configuration, and its log");
    return;
  }
  adjacencies(examination);
  identities(examination);
  bfd(examination);
  costs(examination);
  for (auto const& [area, border] : facts.only_border_of_area) {
    examination.warning("area-hazard", area, "area " + area + " hangs on " + border + ": it alone joins the backbone",
                        "give a second node of the area a link in the backbone; privateer plan shows what is weak");
  }
  for (auto const& [service, reason] : facts.silent_services) {
    examination.error("service-withdrawn", service,
                      "the anycast service " + service + " is not announced here: " + reason,
                      "mend the service; it is announced again after its check succeeds");
  }
}

}  // namespace doctor
