#include "acme/subjects/movements.hpp"

namespace acme {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t rows_max = 1000;

void note(std::vector<database::Change> const& rows, Moved& moved) {
  for (database::Change const& change : rows) {
    if (change.table == "tenant") {
      moved.tenants.insert(database::integer(change.key.front().second));
    } else if (change.table == "pool" || change.table == "endpoint") {
      moved.pools = true;
    }
  }
}

}  // namespace

net::Task<base::Result<Moved>> Movements::follow() {
  if (history_.empty()) {
    co_return co_await everything();
  }
  Moved moved;
  next_ = seen_;
  next_history_ = history_;
  while (store_.revision() > next_) {
    auto const changes = co_await store_.changes(next_, rows_max, milliseconds(0), history_);
    if (!changes) {
      co_return changes.error();
    }
    if (changes->complete) {
      co_return co_await everything();
    }
    note(changes->rows, moved);
    if (changes->to <= next_) {
      break;
    }
    next_ = changes->to;
  }
  co_return moved;
}

net::Task<base::Result<Moved>> Movements::everything() {
  auto const position = co_await store_.position();
  if (!position) {
    co_return position.error();
  }
  next_ = position->revision;
  next_history_ = position->history;
  Moved moved;
  moved.anew = moved.pools = true;
  co_return moved;
}

void Movements::taken() {
  seen_ = next_;
  history_ = next_history_;
}

}  // namespace acme
