#include "acme/dropped_orders/dropped_orders.hpp"

#include "acme/messages/messages.hpp"
#include "acme/schedule/renewal.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;

constexpr char const* component = "acme";
constexpr std::chrono::hours kept{24 * 7};
constexpr std::size_t authorizations_max = 100;

bool is_good(protocol::Answer const& answer) {
  return answer.status >= 200 && answer.status < 300;
}

// The key that asks may be wrong, not the order: 400 is what a signature that does not fit is answered.
bool is_ours(protocol::Answer const& answer) {
  return answer.status == 400 || answer.status == 401 || answer.status == 403;
}

// It may be told another time; every other refusal says that there is nothing to tell.
bool is_passing(protocol::Answer const& answer) {
  return answer.status == 429 || answer.status >= 500 || is_ours(answer);
}

base::Failure says_no(protocol::Answer const& answer) {
  return base::fail(is_ours(answer) ? protocol::errc::refused : protocol::errc::unavailable,
                    "the CA answers " + std::to_string(answer.status));
}

}  // namespace

DroppedOrders::DroppedOrders(vault::Vault& vault, std::function<Authority*(std::string const&)> authority_of,
                             std::chrono::milliseconds first_retry)
    : vault_(vault), authority_of_(std::move(authority_of)), first_retry_(first_retry) {}

std::optional<Time> DroppedOrders::next(Time now) const {
  if (telling_) {
    return std::nullopt;
  }
  std::optional<Time> first = stale_ ? std::optional(std::max(now, read_again_)) : std::nullopt;
  for (auto const& [key, one] : pending_) {
    first = std::min(first.value_or(one.not_before), one.not_before);
  }
  return first;
}

net::Task<void> DroppedOrders::tell() {
  if (telling_) {
    co_return;
  }
  telling_ = true;
  stale_ = false;  // before the read: look() may be called meanwhile
  auto const rows = co_await vault_.dropped_orders();
  if (!rows) {
    stale_ = true;
    read_again_ = wall_now() + first_retry_;
  }
  for (vault::DroppedOrder const& row : rows ? *rows : std::vector<vault::DroppedOrder>()) {
    pending_.try_emplace({row.directory_url, row.order_url}, Pending{row});
  }
  std::vector<Pending> due;
  for (auto const& [key, one] : pending_) {
    if (one.not_before <= wall_now()) {
      due.push_back(one);
    }
  }
  // An order that the CA has trouble with is not always the first, which the others wait behind.
  std::ranges::stable_sort(due, {}, &Pending::failures);
  std::map<std::string, Time> away;  // CAs that are left alone, and until when
  for (Pending const& one : due) {
    auto const found = pending_.find({one.order.directory_url, one.order.order_url});
    auto const rest = away.find(one.order.directory_url);
    bool const given_up = wall_now() - one.order.since > kept;
    if (rest != away.end() && !given_up) {
      found->second.not_before = rest->second;
      continue;
    }
    base::Result<void> told;
    if (rest == away.end()) {
      told = co_await deactivate(one.order);
    }
    bool const of_all = !told && told.error().code != protocol::errc::refused;
    if (told || given_up) {
      told = co_await vault_.forget_dropped(one.order);
    }
    Time const later = wall_now() + pause_after(FailureClass::transient, one.failures + 1, first_retry_);
    if (of_all) {
      away.emplace(one.order.directory_url, later);
    }
    if (told) {
      pending_.erase(found);
      continue;
    }
    ++found->second.failures;
    found->second.not_before = later;
    process::log::warning(component, "authorizations of an order stay pending at the CA order={} error=\"{}\"",
                          one.order.order_url, told.error().what());
  }
  telling_ = false;
}

net::Task<base::Result<void>> DroppedOrders::deactivate(vault::DroppedOrder order) {
  auto const dropped = co_await vault_.is_dropped(order);
  if (!dropped) {
    co_return dropped.error();
  }
  Authority* const authority = authority_of_(order.directory_url);
  if (!*dropped || authority == nullptr) {
    co_return base::Result<void>();
  }
  auto const ready = co_await authority->ready();
  if (!ready) {
    co_return base::fail(protocol::errc::unavailable, ready.error().what());
  }
  auto const client = authority->client();
  auto const placed = co_await client->post(order.order_url, std::nullopt);
  if (!placed || is_passing(*placed)) {
    co_return placed ? says_no(*placed) : placed.error();
  }
  auto const parsed = protocol::parse_order(placed->body);
  if (!is_good(*placed) || !parsed) {
    co_return base::Result<void>();
  }
  std::size_t deactivated = 0;
  for (std::size_t i = 0; i < std::min(parsed->authorizations.size(), authorizations_max); ++i) {
    std::string const url = parsed->authorizations[i];
    auto const seen = co_await client->post(url, std::nullopt);
    if (!seen || is_passing(*seen)) {
      co_return seen ? says_no(*seen) : seen.error();
    }
    auto const authorization = protocol::parse_authorization(seen->body);
    if (!is_good(*seen) || !authorization || authorization->status != protocol::Status::pending) {
      continue;
    }
    std::optional<std::string> const payload(R"({"status":"deactivated"})");
    auto const done = co_await client->post(url, payload);
    if (!done || is_passing(*done)) {
      co_return done ? says_no(*done) : done.error();
    }
    deactivated += is_good(*done) ? 1U : 0U;
  }
  process::log::info(component, "an order is not gone on with order={} authorizations_deactivated={}", order.order_url,
                     deactivated);
  co_return base::Result<void>();
}

}  // namespace acme
