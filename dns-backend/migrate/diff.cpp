#include "dns-backend/migrate/diff.hpp"

#include "dns-backend/dns/ttl.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace migrate {
namespace {

using Sets = std::map<std::pair<dns::Name, dns::RRType>, std::vector<Line>>;

Sets sets_of(std::vector<dns::OwnedRRset> const& rrsets) {
  Sets sets;
  for (dns::OwnedRRset const& owned : rrsets) {
    auto& lines = sets[{owned.owner, owned.rrset.type}];
    for (std::string const& content : owned.rrset.contents) {
      lines.push_back({dns::ttl_of(owned.rrset, content), content});
    }
  }
  return sets;
}

// The second SOA with the first one's serial, where both have one.
void align_serials(std::vector<dns::OwnedRRset> const& before, std::vector<dns::OwnedRRset>& after) {
  auto const soa = [](dns::OwnedRRset const& owned) {
    return owned.rrset.type == dns::type_soa && !owned.rrset.contents.empty();
  };
  auto const first = std::find_if(before.begin(), before.end(), soa);
  auto const second = std::find_if(after.begin(), after.end(), soa);
  if (first != before.end() && second != after.end()) {
    std::string& content = second->rrset.contents.front();
    content = dns::with_soa_serial(content, dns::soa_serial(first->rrset.contents.front()));
  }
}

std::vector<Line> missing(std::vector<Line> const& from, std::vector<Line> const& in) {
  std::vector<Line> out;
  std::copy_if(from.begin(), from.end(), std::back_inserter(out),
               [&in](Line const& line) { return std::find(in.begin(), in.end(), line) == in.end(); });
  return out;
}

boost::json::array json_lines(std::vector<Line> const& lines) {
  boost::json::array out;
  for (Line const& line : lines) {
    out.push_back(boost::json::object{{"ttl", line.ttl}, {"content", line.content}});
  }
  return out;
}

}  // namespace

std::vector<Difference> diff(std::vector<dns::OwnedRRset> before, std::vector<dns::OwnedRRset> after) {
  align_serials(before, after);
  Sets const old = sets_of(before);
  Sets const now = sets_of(after);
  std::map<std::pair<dns::Name, dns::RRType>, Difference> found;
  static std::vector<Line> const none;
  auto const compare = [&](auto const& key) {
    auto const a = old.find(key);
    auto const b = now.find(key);
    auto const& first = a == old.end() ? none : a->second;
    auto const& second = b == now.end() ? none : b->second;
    Difference difference{key.first, key.second, missing(first, second), missing(second, first)};
    if (!difference.removed.empty() || !difference.added.empty()) {
      found.emplace(key, std::move(difference));
    }
  };
  for (auto const& [key, lines] : old) {
    compare(key);
  }
  for (auto const& [key, lines] : now) {
    if (!old.contains(key)) {
      compare(key);
    }
  }
  std::vector<Difference> out;
  for (auto& [key, difference] : found) {
    out.push_back(std::move(difference));
  }
  return out;
}

std::string text(std::vector<Difference> const& differences) {
  std::string out;
  std::size_t removed = 0;
  std::size_t added = 0;
  auto const line = [&out](char sign, Difference const& difference, Line const& one) {
    out += std::string(1, sign) + " " + difference.name.text() + " " + std::to_string(one.ttl) + " IN " +
           dns::to_text(difference.type) + " " + one.content + "\n";
  };
  for (Difference const& difference : differences) {
    for (Line const& one : difference.removed) {
      line('-', difference, one);
      ++removed;
    }
    for (Line const& one : difference.added) {
      line('+', difference, one);
      ++added;
    }
  }
  return out + "; " + std::to_string(removed) + " records less, " + std::to_string(added) + " records more\n";
}

boost::json::object json(std::vector<Difference> const& differences) {
  boost::json::array changes;
  for (Difference const& difference : differences) {
    changes.push_back(boost::json::object{{"name", difference.name.text()},
                                          {"type", dns::to_text(difference.type)},
                                          {"removed", json_lines(difference.removed)},
                                          {"added", json_lines(difference.added)}});
  }
  bool const same = changes.empty();
  return {{"same", same}, {"changes", std::move(changes)}};
}

}  // namespace migrate
