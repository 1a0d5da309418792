#include "mesh/signed_world/removals.hpp"

#include <algorithm>
#include <charconv>

namespace signed_world {

Removals Removals::parse(std::string_view text) {
  Removals out;
  while (!text.empty() && out.revisions_.size() < limit) {
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    auto const space = line.find(' ');
    std::int64_t revision = 0;
    if (space != std::string_view::npos && wireguard::PublicKey::from_base64(line.substr(0, space))) {
      auto const* const last = line.data() + line.size();
      auto const [stop, bad] = std::from_chars(line.data() + space + 1, last, revision);
      if (bad == std::errc() && stop == last) {
        auto& kept = out.revisions_[std::string(line.substr(0, space))];
        kept = std::max(kept, revision);
      }
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::string Removals::text() const {
  std::string out;
  for (auto const& [key, revision] : revisions_) {
    out += key + " " + std::to_string(revision) + "\n";
  }
  return out;
}

bool Removals::learn(plan::WorldDocument const& document) {
  bool news = false;
  for (auto const& key : document.removed) {
    auto& known = revisions_[key];
    news = news || known < document.revision;
    known = std::max(known, document.revision);
  }
  while (revisions_.size() > limit) {
    revisions_.erase(std::min_element(revisions_.begin(), revisions_.end(),
                                      [](auto const& a, auto const& b) { return a.second < b.second; }));
  }
  return news;
}

std::vector<std::string> Removals::strike(plan::WorldDocument& document) const {
  std::vector<std::string> out;
  auto const dead = [&](std::string const& key) {
    auto const found = revisions_.find(key);
    return found != revisions_.end() && found->second >= document.revision;
  };
  for (auto at = document.nodes.begin(); at != document.nodes.end();) {
    auto const next = document.next_keys.find(at->first);
    if (!dead(at->second)) {
      ++at;
    } else if (next != document.next_keys.end() && !dead(next->second)) {
      // Not removed: it changed its key, and this very document says to which.
      at->second = next->second;
      ++document.generations[at->first];
      document.next_keys.erase(next);
      ++at;
    } else {
      out.push_back(at->first);
      document.next_keys.erase(at->first);
      at = document.nodes.erase(at);
    }
  }
  return out;
}

}  // namespace signed_world
