#include "mesh/signed_world/removals.hpp"

#include <algorithm>
#include <charconv>

namespace signed_world {

void Removals::parse_line(std::string_view line) {
  constexpr std::string_view newest = "newest ";
  constexpr std::string_view member = "member ";
  auto const number = [](std::string_view text, std::int64_t& out) {
    auto const [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
    return bad == std::errc() && stop == text.data() + text.size();
  };
  std::int64_t revision = 0;
  if (line.starts_with(newest)) {
    line.remove_prefix(newest.size());
    auto const space = std::min(line.find(' '), line.size());
    if (number(line.substr(0, space), revision)) {
      newest_ = revision;
      mesh_ = space < line.size() ? line.substr(space + 1) : std::string_view();
    }
    return;
  }
  if (line.starts_with(member)) {
    line.remove_prefix(member.size());
    if (wireguard::PublicKey::from_base64(line)) {
      members_.emplace(line);
    }
    return;
  }
  auto const space = line.find(' ');
  if (space != std::string_view::npos && revisions_.size() < limit &&
      wireguard::PublicKey::from_base64(line.substr(0, space)) && number(line.substr(space + 1), revision)) {
    auto& kept = revisions_[std::string(line.substr(0, space))];
    kept = std::max(kept, revision);
  }
}

Removals Removals::parse(std::string_view text) {
  Removals out;
  while (!text.empty()) {
    auto const end = text.find('\n');
    out.parse_line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::string Removals::text() const {
  std::string out;
  if (newest_ >= 0) {
    out += "newest " + std::to_string(newest_) + " " + mesh_ + "\n";
  }
  for (auto const& key : members_) {
    out += "member " + key + "\n";
  }
  for (auto const& [key, revision] : revisions_) {
    out += key + " " + std::to_string(revision) + "\n";
  }
  return out;
}

bool Removals::learn_removed(plan::WorldDocument const& document) {
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

bool Removals::learn(plan::WorldDocument const& document) {
  bool news = learn_removed(document);
  // Another mesh counts its revisions anew.
  if (document.revision > newest_ || document.mesh != mesh_) {
    news = true;
    newest_ = document.revision;
    mesh_ = document.mesh;
    members_.clear();
    for (auto const* const keys : {&document.nodes, &document.next_keys}) {
      for (auto const& [node, key] : *keys) {
        members_.insert(key);
      }
    }
  }
  return news;
}

std::vector<std::string> Removals::strike(plan::WorldDocument& document) const {
  std::vector<std::string> out;
  bool const outdated = document.revision < newest_ && document.mesh == mesh_;
  auto const dead = [&](std::string const& key) {
    if (outdated && !members_.contains(key)) {
      return true;
    }
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
