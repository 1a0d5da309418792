#include "mesh/handing_out/handing_out.hpp"

#include "base/gzip/gzip.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace handing_out {
namespace {

using Clock = std::chrono::steady_clock;
using Body = std::shared_ptr<std::string const>;

struct Waiter {
  explicit Waiter(net::asio::any_io_executor const& executor) : signal(executor) {}
  net::Signal signal;
  bool granted = false;
  std::uint64_t turn = 0;
};

std::string_view trimmed(std::string_view text) {
  auto const from = std::min(text.find_first_not_of(" \t"), text.size());
  auto const to = text.find_last_not_of(" \t");
  return to == std::string_view::npos ? std::string_view() : text.substr(from, to + 1 - from);
}

bool refused(std::string_view parameters) {
  auto const q = trimmed(parameters);
  return q.starts_with("q=0") && q.find_first_not_of("0.", 2) == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    auto const end = std::min(accepted.find(','), accepted.size());
    auto const one = accepted.substr(0, end);
    accepted.remove_prefix(std::min(end + 1, accepted.size()));
    auto const semicolon = std::min(one.find(';'), one.size());
    auto const coding = trimmed(one.substr(0, semicolon));
    if ((coding == "gzip" || coding == "*") && !refused(one.substr(std::min(semicolon + 1, one.size())))) {
      return true;
    }
  }
  return false;
}

struct HandingOut::State : std::enable_shared_from_this<State> {
  State(net::asio::any_io_executor its_executor, Limits its_limits)
      : executor(std::move(its_executor)), limits(its_limits) {}

  net::asio::any_io_executor executor;
  Limits limits;
  Body plain = std::make_shared<std::string const>();
  Body small;                                        // made for the first who accepts it
  std::map<std::uint64_t, Clock::time_point> turns;  // under way, since when
  std::deque<std::weak_ptr<Waiter>> queue;
  std::uint64_t last_turn = 0;

  [[nodiscard]] std::size_t turns_max() const {
    return std::max(limits.fewest, limits.octets_under_way / std::max<std::size_t>(plain->size(), 1));
  }

  std::uint64_t begin() {
    turns.emplace(++last_turn, Clock::now());
    return last_turn;
  }

  void end(std::uint64_t turn) {
    if (turns.erase(turn) != 0) {
      grant();
    }
  }

  void end_old() {
    auto const before = Clock::now() - limits.turn_time;
    std::erase_if(turns, [&](auto const& entry) { return entry.second < before; });
    grant();
  }

  void grant() {
    while (!queue.empty() && turns.size() < turns_max()) {
      auto const next = queue.front().lock();
      queue.pop_front();
      if (next) {
        next->granted = true;
        next->turn = begin();
        next->signal.notify();
      }
    }
  }

  Body body(bool compressed) {
    if (!compressed) {
      return plain;
    }
    if (!small) {
      small = std::make_shared<std::string const>(gzip::compress(*plain));
    }
    return small;
  }
};

namespace {

// A turn of somebody, until he has what he waits for or is gone.
struct Turn {
  Turn(std::shared_ptr<HandingOut::State> its_owner, std::uint64_t its_number)
      : owner(std::move(its_owner)), number(its_number) {}
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;
  ~Turn() { owner->end(number); }
  std::shared_ptr<HandingOut::State> owner;
  std::uint64_t number;
  Body body;
};

// Gives a turn that was granted to who is cancelled in the same moment to the next.
struct Place {
  Place(std::shared_ptr<HandingOut::State> its_owner, std::shared_ptr<Waiter> its_waiter)
      : owner(std::move(its_owner)), waiter(std::move(its_waiter)) {}
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;
  ~Place() {
    if (waiter->granted) {
      owner->end(waiter->turn);
    }
  }
  std::shared_ptr<HandingOut::State> owner;
  std::shared_ptr<Waiter> waiter;
};

net::Task<std::shared_ptr<Turn>> take_turn(std::shared_ptr<HandingOut::State> state) {
  if (state->queue.empty() && state->turns.size() < state->turns_max()) {
    auto const number = state->begin();
    co_return std::make_shared<Turn>(state, number);
  }
  auto const waiter = std::make_shared<Waiter>(state->executor);
  state->queue.push_back(waiter);
  Place const place(state, waiter);
  while (!waiter->granted) {
    bool const notified = co_await waiter->signal.wait(state->limits.turn_time);
    if (!notified) {
      state->end_old();
    }
  }
  auto turn = std::make_shared<Turn>(state, waiter->turn);
  waiter->granted = false;  // it is the answer's now
  co_return turn;
}

net::Task<net::HttpResponse> answer_of(std::shared_ptr<HandingOut::State> state, bool compressed) {
  auto const turn = co_await take_turn(state);
  turn->body = state->body(compressed);
  auto response = net::HttpResponse::json(200, "");
  response.shared_body = Body(turn, turn->body.get());
  if (compressed) {
    response.headers.set("Content-Encoding", "gzip");
  }
  co_return response;
}

}  // namespace

HandingOut::HandingOut(net::asio::any_io_executor executor, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), limits)) {}

HandingOut::~HandingOut() = default;

void HandingOut::set(std::string json) {
  state_->plain = std::make_shared<std::string const>(std::move(json));
  state_->small.reset();
}

std::string const& HandingOut::text() const {
  return *state_->plain;
}

net::Task<net::HttpResponse> HandingOut::answer(std::string accepted) {
  return answer_of(state_, accepts_gzip(accepted));
}

std::size_t HandingOut::under_way() const {
  return state_->turns.size();
}

std::size_t HandingOut::waiting() const {
  return state_->queue.size();
}

}  // namespace handing_out
