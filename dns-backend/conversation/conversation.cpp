#include "dns-backend/conversation/conversation.hpp"

#include "base/process/log.hpp"
#include "dns-backend/protocol/reply.hpp"

#include <chrono>

namespace connector {
namespace {

constexpr std::size_t unknown_max = 16;
constexpr std::size_t name_shown_max = 64;

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::shared_ptr<store::Snapshot const> const& Serving::snapshot() {
  if (!snapshot_reader) {
    snapshot_reader.emplace(published);
  }
  return snapshot_reader->get();
}

geo::Surroundings const* Serving::surroundings() {
  if (published_surroundings == nullptr) {
    return nullptr;
  }
  if (!surroundings_reader) {
    surroundings_reader.emplace(*published_surroundings);
  }
  return surroundings_reader->get().get();
}

void Serving::forget() {
  snapshot_reader.reset();
  surroundings_reader.reset();
}

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
  std::shared_ptr<store::Snapshot const> const snapshot = serving_.snapshot();
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
  if (geo::Surroundings const* const around = serving_.surroundings(); around != nullptr) {
    world.locator = around->locator.get();
    world.costs = around->costs.get();
  }
  return world;
}

std::optional<remote::Method> Conversation::answer_at_once(std::string_view request, std::string& out) {
  // Taken before the snapshot, which may be newer than it then but never older.
  std::uint64_t const generation = serving_.published.generation();
  if (!in_transaction()) {
    if (ReplyMemo::Kept const* const kept = memo_.find(request, generation)) {
      out = kept->reply;
      return kept->method;
    }
  }
  auto const answered = remote::answer_at_once(request, world(*serving_.snapshot()), out);
  if (!answered) {
    return std::nullopt;
  }
  if (answered->settled) {
    memo_.keep(request, generation, answered->method, out);
  }
  return answered->method;
}

base::Result<bool> Conversation::reply_at_once(std::string_view request_text, std::string& out) {
  begun_ = std::chrono::steady_clock::now();
  if (auto const answered = answer_at_once(request_text, out)) {
    serving_.meters.answered(*answered, std::chrono::steady_clock::now() - begun_);
    return true;
  }
  base::Result<remote::Request> request = remote::parse_request(request_text);
  if (!request) {
    return request.error();
  }
  if (auto const* const unknown = std::get_if<remote::Unknown>(&request->body)) {
    note_unknown(unknown->method);
  }
  remote::Method const method = request->method;
  if (remote::is_write(method)) {
    to_write_.emplace(std::move(*request));
    return false;
  }
  std::shared_ptr<store::Snapshot const> const& snapshot = serving_.snapshot();
  base::Result<void> const done = remote::answer(*request, world(*snapshot), out);
  if (method == remote::Method::get_all_domains) {
    listed_ = snapshot;
  }
  serving_.meters.answered(method, std::chrono::steady_clock::now() - begun_);
  return done ? base::Result<bool>(true) : base::Result<bool>(done.error());
}

// PowerDNS takes `false` for "not implemented"; the operator learns here what it missed.
void Conversation::note_unknown(std::string const& method) {
  std::string const shown = method.substr(0, name_shown_max);
  if (unknown_.size() < unknown_max && unknown_.insert(shown).second) {
    process::log::warning("remote", "answered false: the method '{}' is not known here", shown);
  }
}

net::Task<base::Result<void>> Conversation::reply_to_write(std::string& out) {
  ASSERT(to_write_.has_value());
  remote::Request request = std::move(*to_write_);
  to_write_.reset();
  remote::Method const method = request.method;
  base::Result<void> const done = co_await write(std::move(request), out);
  serving_.meters.answered(method, std::chrono::steady_clock::now() - begun_);
  co_return done;
}

void Conversation::replied() {
  if (listed_ && serving_.listed) {
    serving_.listed(listed_);
  }
  listed_.reset();
}

}  // namespace connector
