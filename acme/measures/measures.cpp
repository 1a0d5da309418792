#include "acme/measures/measures.hpp"

#include <algorithm>
#include <cstdlib>

namespace acme {
namespace {

constexpr std::chrono::minutes life_pause{1};

}  // namespace

void LifeLeft::count(crypto::Time not_before, crypto::Time not_after, crypto::Time now) {
  auto const life = std::max(not_after - not_before, std::chrono::milliseconds(1));
  auto const left = std::max(not_after - now, std::chrono::milliseconds(0));
  double const share = static_cast<double>(left.count()) / static_cast<double>(life.count());
  for (std::size_t i = 0; i < share_bounds.size(); ++i) {
    // What is not valid yet has its whole life before it.
    bool const whole = i + 1 == share_bounds.size();
    by_share_[i] += whole || share <= std::strtod(share_bounds[i], nullptr) ? 1U : 0U;
  }
  for (std::size_t i = 0; i < day_bounds.size(); ++i) {
    by_days_[i] += left <= std::chrono::hours(24) * day_bounds[i] ? 1U : 0U;
  }
}

void Measures::show(Counts const& counts) const {
  auto const set = [this](char const* name, char const* help, std::size_t value) {
    metrics_.gauge(name, help).set(static_cast<double>(value));
  };
  set("navigator_acme_subjects", "Names of tenants that shall have a certificate of their own", counts.subjects);
  set("navigator_acme_certificates", "Names of tenants that have a certificate", counts.certificates);
  set("navigator_acme_orders_in_flight", "ACME orders in flight", counts.in_flight);
  set("navigator_acme_orders_waiting", "Certificates that are due and wait for their turn", counts.waiting);
  set("navigator_acme_alarms", "Certificates of whose life a fifth or less is left", counts.alarms);
  set("navigator_acme_missing", "Names that have been without their first certificate for too long", counts.missing);
  metrics_.gauge("navigator_acme_earliest_expiry_seconds", "Unix time at which the first certificate expires; 0: none")
      .set(counts.earliest_expiry ? static_cast<double>(crypto::to_ms(*counts.earliest_expiry)) / 1000 : 0);
}

void Measures::show_life(LifeLeft const& life, crypto::Time now) {
  life_due_ = now + life_pause;
  for (std::size_t i = 0; i < LifeLeft::share_bounds.size(); ++i) {
    metrics_
        .gauge("navigator_acme_life_left", "Certificates of whose life at most this share is left",
               {{"le", LifeLeft::share_bounds[i]}})
        .set(static_cast<double>(life.by_share()[i]));
  }
  for (std::size_t i = 0; i < LifeLeft::day_bounds.size(); ++i) {
    metrics_
        .gauge("navigator_acme_days_left", "Certificates that end within so many days",
               {{"le", std::to_string(LifeLeft::day_bounds[i])}})
        .set(static_cast<double>(life.by_days()[i]));
  }
}

void Measures::ended(std::string const& directory_url, std::string const& outcome, std::string const& problem) const {
  metrics_
      .counter("navigator_acme_orders_total", "Orders by outcome and authority",
               {{"outcome", outcome}, {"authority", directory_url}})
      .add();
  if (!problem.empty()) {
    metrics_
        .counter("navigator_acme_problems_total", "Orders that failed, by the CA's own type of problem",
                 {{"type", problem}, {"authority", directory_url}})
        .add();
  }
}

}  // namespace acme
