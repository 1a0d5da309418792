#include "topology/verify/verify.hpp"

#include "topology/verify/areas.hpp"
#include "topology/verify/certificate.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

namespace verify {
namespace {

base::Failure refuse(std::string const& place, std::string const& message) {
  return base::fail(errc::not_proved, place + ": " + message);
}

std::string sha256(std::string const& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  ASSERT(EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha256(), nullptr) == 1);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    for (unsigned int const half : {bytes[i] / 16U, bytes[i] % 16U}) {
      out += static_cast<char>(half < 10 ? '0' + half : 'a' + half - 10);
    }
  }
  return out;
}

// The graph that a certificate carries, by names.
Subject subject_of(Certificate const& certificate) {
  Subject out;
  out.nodes = certificate.nodes;
  auto const ends = [&](std::uint32_t link) {
    return std::pair(certificate.nodes[certificate.links[link].first],
                     certificate.nodes[certificate.links[link].second]);
  };
  for (std::uint32_t i = 0; i < certificate.links.size(); ++i) {
    out.links.push_back(ends(i));
  }
  auto const names = [&](std::vector<std::uint32_t> const& nodes) {
    std::vector<std::string> all;
    for (auto const node : nodes) {
      all.push_back(certificate.nodes[node]);
    }
    return all;
  };
  for (auto const& group : certificate.groups) {
    Group one{group.kind, group.name, names(group.nodes), {}};
    for (auto const link : group.links) {
      one.links.push_back(ends(link));
    }
    out.groups.push_back(std::move(one));
  }
  for (auto const& reliance : certificate.reliances) {
    out.reliances.push_back({reliance.kind, reliance.name, names(reliance.nodes)});
  }
  for (auto const& area : certificate.areas) {
    Area one{area.name, {}};
    for (auto const link : area.links) {
      one.links.push_back(ends(link));
    }
    out.areas.push_back(std::move(one));
  }
  return out;
}

class Checker {
 public:
  explicit Checker(Certificate const& certificate) : certificate_(certificate) {}

  base::Result<void> run() const {
    for (auto const& step : {&Checker::order, &Checker::trees, &Checker::survivors}) {
      if (auto const done = (this->*step)(); !done) {
        return done;
      }
    }
    return {};
  }

 private:
  [[nodiscard]] std::string node(std::uint32_t number) const { return "node '" + certificate_.nodes[number] + "'"; }
  [[nodiscard]] std::string link(std::uint32_t number) const {
    auto const [a, b] = certificate_.links[number];
    return "link '" + certificate_.nodes[a] + "--" + certificate_.nodes[b] + "'";
  }

  // The other end of a link; nullopt when the node is at neither.
  [[nodiscard]] std::optional<std::uint32_t> across(std::uint32_t number, std::uint32_t from) const {
    auto const [a, b] = certificate_.links[number];
    return a == from ? std::optional(b) : b == from ? std::optional(a) : std::nullopt;
  }

  [[nodiscard]] base::Result<void> order() const {
    auto const& c = certificate_;
    auto const n = c.nodes.size();
    if (n < 3) {
      // One node has nothing to be cut off from; two hang on their one link.
      return n < 2 ? base::Result<void>() : refuse("nodes", "two nodes with one link do not survive its loss");
    }
    if (c.order.size() != n || c.back.size() != n - 1 || c.onward.size() != n - 1) {
      return refuse("order", "it does not name every node, with a way back and a way onward");
    }
    constexpr std::uint32_t nowhere = 0xffffffffU;
    std::vector<std::uint32_t> place(n, nowhere);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (place[c.order[i]] != nowhere) {
        return refuse("order[" + std::to_string(i) + "]", node(c.order[i]) + " is there twice");
      }
      place[c.order[i]] = i;
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      if (i > 0) {
        auto const to = across(c.back[i - 1], c.order[i]);
        if (!to || place[*to] >= i) {
          return refuse("back[" + std::to_string(i - 1) + "]",
                        link(c.back[i - 1]) + " does not lead from " + node(c.order[i]) + " to an earlier node");
        }
      }
      if (i + 1 < n) {
        auto const to = across(c.onward[i], c.order[i]);
        if (!to || place[*to] <= i) {
          return refuse("onward[" + std::to_string(i) + "]",
                        link(c.onward[i]) + " does not lead from " + node(c.order[i]) + " to a later node");
        }
      }
    }
    std::pair const closing(std::min(c.order.front(), c.order.back()), std::max(c.order.front(), c.order.back()));
    if (!std::binary_search(c.links.begin(), c.links.end(), closing)) {
      return refuse("order", "its first, " + node(c.order.front()) + ", and its last, " + node(c.order.back()) +
                                 ", are not linked");
    }
    return {};
  }

  [[nodiscard]] base::Result<void> trees() const {
    auto const& c = certificate_;
    if (c.trees.size() != c.groups.size()) {
      return refuse("trees", "there is not one for each group");
    }
    for (std::size_t g = 0; g < c.groups.size(); ++g) {
      if (auto const done = tree(g); !done) {
        return done;
      }
    }
    return {};
  }

  [[nodiscard]] base::Result<void> tree(std::size_t number) const {
    auto const& c = certificate_;
    auto const& group = c.groups[number];
    std::string const without = "without " + group.kind + " '" + group.name + "' ";
    std::vector<bool> lost(c.nodes.size(), false);
    for (auto const gone : group.nodes) {
      lost[gone] = true;
    }
    std::vector<bool> reached(c.nodes.size(), false);
    auto const first = std::find(lost.begin(), lost.end(), false) - lost.begin();
    auto const remaining = c.nodes.size() - group.nodes.size();
    std::size_t count = 0;
    if (remaining > 0) {
      reached[static_cast<std::size_t>(first)] = true;
      count = 1;
    }
    for (std::size_t i = 0; i < c.trees[number].size(); ++i) {
      auto const place = "trees[" + std::to_string(number) + "][" + std::to_string(i) + "]";
      auto const by = c.trees[number][i];
      auto const [a, b] = c.links[by];
      if (lost[a] || lost[b] || std::binary_search(group.links.begin(), group.links.end(), by)) {
        return refuse(place, without + link(by) + " is lost too");
      }
      if (reached[a] == reached[b]) {
        return refuse(place, without + link(by) + " does not join a new node to those before");
      }
      reached[a] = reached[b] = true;
      ++count;
    }
    for (std::uint32_t i = 0; count < remaining && i < c.nodes.size(); ++i) {
      if (!lost[i] && !reached[i]) {
        return refuse("trees[" + std::to_string(number) + "]", without + node(i) + " is not reached");
      }
    }
    return {};
  }

  [[nodiscard]] base::Result<void> survivors() const {
    auto const& c = certificate_;
    if (c.survivors.size() != c.reliances.size()) {
      return refuse("survivors", "there is not a list for each service and segment");
    }
    for (std::size_t r = 0; r < c.reliances.size(); ++r) {
      auto const& reliance = c.reliances[r];
      std::string const name = reliance.kind + " '" + reliance.name + "'";
      auto const where = "survivors[" + std::to_string(r) + "]";
      if (reliance.nodes.size() == 1) {
        return refuse("reliances[" + std::to_string(r) + "]", name + " hangs on " + node(reliance.nodes[0]) + " alone");
      }
      std::size_t next = 0;
      for (auto const& group : c.groups) {
        auto const lost = [&](std::uint32_t one) {
          return std::binary_search(group.nodes.begin(), group.nodes.end(), one);
        };
        if (std::none_of(reliance.nodes.begin(), reliance.nodes.end(), lost)) {
          continue;
        }
        auto const place = where + "[" + std::to_string(next) + "]";
        if (next == c.survivors[r].size()) {
          return refuse(where, name + " has no node that outlives " + group.kind + " '" + group.name + "'");
        }
        auto const survivor = c.survivors[r][next++];
        if (lost(survivor) || !std::binary_search(reliance.nodes.begin(), reliance.nodes.end(), survivor)) {
          return refuse(place, node(survivor) + " is no node of " + name + " that outlives " + group.kind + " '" +
                                   group.name + "'");
        }
      }
      if (next != c.survivors[r].size()) {
        return refuse(where, "it names more nodes than groups that hold one of " + name);
      }
    }
    return {};
  }

  Certificate const& certificate_;
};

base::Result<Certificate> checked(std::string_view text) {
  auto certificate = read_certificate(text);
  if (!certificate) {
    return certificate;
  }
  if (digest_of(subject_of(*certificate)) != certificate->digest) {
    return base::fail(errc::another_graph, "digest: it is not that of the nodes, links and groups that are listed");
  }
  if (auto const done = Checker(*certificate).run(); !done) {
    return done.error();
  }
  auto const areas = areas_of(*certificate);
  if (!areas) {
    return areas.error();
  }
  for (std::size_t i = 0; i < areas->size(); ++i) {
    if (auto const done = Checker((*areas)[i]).run(); !done) {
      auto const& error = done.error();
      return base::fail(errc::not_proved, "areas[" + std::to_string(i) + "]." + error.detail);
    }
  }
  return certificate;
}

Verified summary_of(Certificate const& certificate) {
  return {certificate.topology,      certificate.digest,           certificate.nodes.size(), certificate.links.size(),
          certificate.groups.size(), certificate.reliances.size(), certificate.areas.size()};
}

}  // namespace

std::string digest_of(Subject const& given) {
  Subject subject = given;
  auto const turn = [](std::vector<std::pair<std::string, std::string>>& links) {
    for (auto& [a, b] : links) {
      if (b < a) {
        std::swap(a, b);
      }
    }
    std::sort(links.begin(), links.end());
  };
  // Kinds in the order in which a certificate has them.
  auto const rank = [](std::string const& kind) {
    constexpr std::array<std::string_view, 5> kinds = {"site", "provider", "risk", "service", "segment"};
    return std::pair(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin(), kind);
  };
  auto const by_kind = [&](auto const& x, auto const& y) {
    return std::pair(rank(x.kind), x.name) < std::pair(rank(y.kind), y.name);
  };
  std::sort(subject.nodes.begin(), subject.nodes.end());
  turn(subject.links);
  std::sort(subject.groups.begin(), subject.groups.end(), by_kind);
  std::sort(subject.reliances.begin(), subject.reliances.end(), by_kind);
  std::string text;
  for (auto const& node : subject.nodes) {
    text += "node " + node + "\n";
  }
  for (auto const& [a, b] : subject.links) {
    text += "link " + a + " " + b + "\n";
  }
  for (auto& group : subject.groups) {
    std::sort(group.nodes.begin(), group.nodes.end());
    turn(group.links);
    text += "group " + group.kind + " " + group.name + "\n";
    for (auto const& node : group.nodes) {
      text += "has " + node + "\n";
    }
    for (auto const& [a, b] : group.links) {
      text += "hangs " + a + " " + b + "\n";
    }
  }
  for (auto& reliance : subject.reliances) {
    std::sort(reliance.nodes.begin(), reliance.nodes.end());
    text += "reliance " + reliance.kind + " " + reliance.name + "\n";
    for (auto const& node : reliance.nodes) {
      text += "has " + node + "\n";
    }
  }
  std::sort(subject.areas.begin(), subject.areas.end(), [](Area const& x, Area const& y) { return x.name < y.name; });
  std::stable_partition(subject.areas.begin(), subject.areas.end(),
                        [](Area const& one) { return one.name == "0.0.0.0"; });
  for (auto& area : subject.areas) {
    turn(area.links);
    text += "area " + area.name + "\n";
    for (auto const& [a, b] : area.links) {
      text += "within " + a + " " + b + "\n";
    }
  }
  return sha256(text);
}

base::Result<Verified> check(std::string_view certificate) {
  auto const read = checked(certificate);
  if (!read) {
    return read.error();
  }
  return summary_of(*read);
}

base::Result<Verified> check(std::string_view certificate, Subject const& subject) {
  auto const read = checked(certificate);
  if (!read) {
    return read.error();
  }
  if (auto const own = digest_of(subject); own != read->digest) {
    return base::fail(errc::another_graph,
                      "digest: the certificate speaks of " + read->digest + ", the topology at hand is " + own);
  }
  return summary_of(*read);
}

}  // namespace verify
