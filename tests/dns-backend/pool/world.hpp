// A balancer put together in words, and the health of its endpoints.
#pragma once

#include "dns-backend/pool/select.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pool {

inline std::vector<std::string> names(Selection const& selection) {
  std::vector<std::string> out;
  for (Endpoint const* endpoint : selection.endpoints) {
    out.push_back(endpoint->name);
  }
  return out;
}

class World {
 public:
  // "a+ b- c? d=": endpoints that are up, down, unknown, draining; "(a+)" is disabled. The pool is the balancer's last.
  World& pool(std::string const& name, std::string const& endpoints, std::uint32_t minimum = 1) {
    balancer.pools.push_back(make(name, endpoints, minimum));
    return *this;
  }
  // One that is in no list yet.
  std::shared_ptr<Pool> make(std::string const& name, std::string const& endpoints, std::uint32_t minimum = 1) {
    auto made = std::make_shared<Pool>();
    made->name = name;
    made->minimum_origins = minimum;
    std::string word;
    for (char const letter : endpoints + " ") {
      if (letter != ' ') {
        word += letter;
        continue;
      }
      if (!word.empty()) {
        made->endpoints.push_back(endpoint(word));
        word.clear();
      }
    }
    pools_[name] = made;
    return made;
  }
  Pool& operator[](std::string const& pool) { return *pools_.at(pool); }
  std::shared_ptr<Pool> shared(std::string const& pool) { return pools_.at(pool); }
  Endpoint& endpoint(std::string const& pool, std::string const& name) {
    auto& all = pools_.at(pool)->endpoints;
    return *std::find_if(all.begin(), all.end(), [&name](Endpoint const& one) { return one.name == name; });
  }
  void policy(AllDown policy) {
    for (auto const& [name, pool] : pools_) {
      pool->all_down = policy;
    }
  }
  void set(std::string const& endpoint, probe::Health state, std::int64_t at_s = 0) {
    health.set(health.slot(endpoint), state, at_s * 1000);
  }
  void load(std::string const& endpoint, std::uint32_t permille) { health.set_load(health.slot(endpoint), permille); }

  [[nodiscard]] Asking asking() const {
    return {health, now_s, client.empty() ? geo::Client() : geo::parse_client(client).value(), locator, costs};
  }
  [[nodiscard]] Selection selected(Family family = Family::any) const { return select(balancer, asking(), family); }
  [[nodiscard]] std::vector<std::string> answer(Family family = Family::any) const { return names(selected(family)); }
  [[nodiscard]] std::vector<std::string> answer_to(std::string const& asker) {
    client = asker;
    return answer();
  }

  LoadBalancer balancer;
  HealthTable health;
  std::int64_t now_s = 0;
  std::string client;  // empty: nobody
  geo::Locator const* locator = nullptr;
  geo::SiteCosts const* costs = nullptr;

 private:
  Endpoint endpoint(std::string word) {
    Endpoint out;
    out.enabled = word.front() != '(';
    std::erase_if(word, [](char letter) { return letter == '(' || letter == ')'; });
    out.name = word.substr(0, word.size() - 1);
    out.address4 = "192.0.2.1";
    out.slot = health.slot(out.name);
    std::map<char, probe::Health> const states = {
        {'+', probe::Health::up}, {'-', probe::Health::down}, {'=', probe::Health::draining}};
    if (auto const state = states.find(word.back()); state != states.end()) {
      health.set(out.slot, state->second);
    }
    return out;
  }

  std::map<std::string, std::shared_ptr<Pool>> pools_;
};

}  // namespace pool
