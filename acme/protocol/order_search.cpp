// The order machine's search for an order whose URL was lost with the answer to newOrder.
#include "acme/protocol/order_machine.hpp"

#include <algorithm>

namespace protocol {
namespace {

// Of the account's list of orders, which CAs give in pages of their size, the oldest first where they say so at all.
constexpr std::size_t pages_max = 100;
constexpr std::size_t candidates_max = 32;

}  // namespace

// For an order that was placed without its URL being learned.
Action OrderMachine::search() {
  return plan_.account_url.empty() ? place() : post(Step::account, plan_.account_url, std::nullopt);
}

// A list that cannot be had, or not to its end, is as good as none. The search is part of a loss: losing newOrder and
// searching in turn ends, too.
Action OrderMachine::on_search(Answer const& answer, Time now) {
  if (answer.status >= 500) {
    return on_lost("HTTP status " + std::to_string(answer.status), answer.retry_after, now);
  }
  if (step_ == Step::candidate) {
    return on_candidate(answer, now);
  }
  bool const good = answer.status >= 200 && answer.status < 300;
  if (step_ == Step::account) {
    candidates_.clear();
    pages_ = 0;
    std::string list = good ? parse_orders_url(answer.body) : std::string();
    return list.empty() ? place() : post(Step::list, std::move(list), std::nullopt);
  }
  if (auto const page = parse_order_list(answer.body); good && page) {
    candidates_.insert(candidates_.end(), page->begin(), page->end());
    if (!answer.next.empty() && ++pages_ < pages_max) {
      return post(Step::list, answer.next, std::nullopt);
    }
  }
  std::size_t const passed_over = candidates_.size() - std::min(candidates_.size(), candidates_max);
  candidates_.erase(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(passed_over));
  return next_candidate();
}

// One of these names that can still be finalized is the one that was asked for, or as good.
Action OrderMachine::on_candidate(Answer const& answer, Time now) {
  auto order = parse_order(answer.body);
  bool const open = order && (order->status == Status::pending || order->status == Status::ready) &&
                    order->expires.value_or(now + limits_.patience) > now;
  if (answer.status >= 300 || !open || order->names != plan_.names) {
    return next_candidate();
  }
  order_ = std::move(*order);
  deadline_ = std::min(deadline_, order_.expires.value_or(deadline_));
  plan_.order_url = last_post_.url;
  outcome_.notes.push_back("went on with an order that was placed before: " + plan_.order_url);
  step_ = Step::save;
  return SaveOrder{plan_.order_url};
}

Action OrderMachine::next_candidate() {
  if (candidates_.empty()) {
    return place();
  }
  std::string url = std::move(candidates_.back());
  candidates_.pop_back();
  return post(Step::candidate, std::move(url), std::nullopt);
}

}  // namespace protocol
