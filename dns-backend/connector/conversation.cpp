#include "dns-backend/connector/conversation.hpp"

#include "dns-backend/protocol/reply.hpp"

#include <chrono>

namespace connector {
namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Conversation::~Conversation() {
  if (in_transaction()) {
    serving_.transactions.fetch_sub(1);
  }
}

net::Task<base::Result<void>> Conversation::write(remote::Request request, std::string& out) {
  bool const before = in_transaction();
  // Counted before the flag is looked at, and the other side sets the flag before it looks at the count: a transaction
  // is either refused or waited for.
  if (!before) {
    serving_.transactions.fetch_add(1);
    if (serving_.leaving.load()) {
      serving_.transactions.fetch_sub(1);
      remote::reply_refusal(out, "this Navigator makes room for its successor; try again");
      co_return base::Result<void>();
    }
  }
  std::shared_ptr<store::Snapshot const> const snapshot = serving_.reader.get();
  base::Result<std::string> written = co_await writer_.handle(std::move(request), snapshot, unix_now());
  if (!in_transaction()) {
    serving_.transactions.fetch_sub(1);
  }
  if (!written) {
    co_return written.error();
  }
  out = std::move(*written);
  co_return base::Result<void>();
}

remote::World Conversation::world(store::Snapshot const& snapshot) {
  remote::World world{snapshot, serving_.health, serving_.refuse_while_empty, writer_.overlay(), unix_now()};
  if (serving_.surroundings) {
    std::shared_ptr<geo::Surroundings const> const& around = serving_.surroundings->get();
    world.locator = around->locator.get();
    world.costs = around->costs.get();
  }
  return world;
}

std::optional<remote::Method> Conversation::answer_at_once(std::string_view request, std::string& out) {
  return remote::answer_at_once(request, world(*serving_.reader.get()), out);
}

net::Task<base::Result<void>> Conversation::reply_to(std::string_view request_text, std::string& out) {
  auto const begin = std::chrono::steady_clock::now();
  if (auto const answered = answer_at_once(request_text, out)) {
    serving_.meters.answered(*answered, std::chrono::steady_clock::now() - begin);
    co_return base::Result<void>();
  }
  base::Result<remote::Request> request = remote::parse_request(request_text);
  if (!request) {
    co_return request.error();
  }
  remote::Method const method = request->method;
  base::Result<void> done;
  if (remote::is_write(method)) {
    done = co_await write(std::move(*request), out);
  } else {
    std::shared_ptr<store::Snapshot const> const& snapshot = serving_.reader.get();
    done = remote::answer(*request, world(*snapshot), out);
    if (method == remote::Method::get_all_domains) {
      listed_ = snapshot;
    }
  }
  serving_.meters.answered(method, std::chrono::steady_clock::now() - begin);
  co_return done;
}

void Conversation::replied() {
  if (listed_ && serving_.listed) {
    serving_.listed(listed_);
  }
  listed_.reset();
}

}  // namespace connector
