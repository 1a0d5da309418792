#include "dns-backend/remote/write.hpp"

#include "dns-backend/protocol/reply.hpp"
#include "dns-backend/remote/rows.hpp"
#include "dns-backend/remote/secondary.hpp"

namespace remote {
namespace {

std::string yes() {
  std::string out;
  reply_bool(out, true);
  return out;
}

std::string refusal(std::string_view reason) {
  std::string out;
  reply_refusal(out, reason);
  return out;
}

template <class T>
std::string acknowledged(base::Result<T> const& result) {
  return result ? yes() : refusal(result.error().what());
}

}  // namespace

Writer::Writer(store::Store* store) : store_(store) {
  overlay_ = [this](store::Zone const& zone, dns::Name const& name, store::EntryPtr stored) {
    return transaction_ && transaction_->apex() == zone.apex ? transaction_->overlay(name, std::move(stored)) : stored;
  };
}

net::Task<base::Result<std::string>> Writer::handle(Request request, std::shared_ptr<store::Snapshot const> snapshot,
                                                    std::int64_t now_s) {
  if (store_ == nullptr) {
    co_return refusal("this backend takes no writes");
  }
  switch (request.method) {
    case Method::start_transaction:
    case Method::abort_transaction:
    case Method::feed_record:
    case Method::feed_ents:
    case Method::feed_ents3:
    case Method::replace_rrset:
      co_return in_transaction(request, *snapshot);
    case Method::commit_transaction:
      co_return co_await commit();
    case Method::set_notified: {
      auto const body = std::get<Notified>(request.body);
      base::Result<store::Revision> const done = co_await store_->set_notified_serial(body.zone_id, body.serial);
      co_return acknowledged(done);
    }
    case Method::set_fresh:
    case Method::set_stale: {
      std::int64_t const at_s = request.method == Method::set_fresh ? now_s : 0;
      std::int64_t const id = std::get<ZoneId>(request.body).zone_id;
      base::Result<store::Revision> const done = co_await store_->set_checked(id, at_s);
      co_return acknowledged(done);
    }
    case Method::create_slave_domain: {
      auto body = std::get<CreateSecondary>(request.body);
      co_return co_await create_secondary(std::move(body), std::move(snapshot));
    }
    case Method::set_tsig_key: {
      auto const body = std::get<Tsig>(request.body);
      store::TsigKey key{body.name, body.algorithm, body.content};
      base::Result<store::Revision> const done = co_await store_->set_tsig_key(std::move(key));
      co_return acknowledged(done);
    }
    case Method::delete_tsig_key: {
      std::string name = std::get<Tsig>(request.body).name;
      base::Result<store::Revision> const done = co_await store_->delete_tsig_key(std::move(name));
      co_return acknowledged(done);
    }
    default:
      co_return co_await on_zone(std::move(request));
  }
}

net::Task<base::Result<std::string>> Writer::create_secondary(CreateSecondary request,
                                                              std::shared_ptr<store::Snapshot const> snapshot) {
  if (!request.zone) {
    co_return refusal("no such zone can exist");
  }
  store::ZoneSettings settings;
  settings.kind = "slave";
  settings.masters = masters_of(request, *snapshot);
  settings.account = request.account;
  std::vector<dns::OwnedRRset> nothing_yet;
  base::Result<store::Revision> const done =
      co_await store_->create_zone(*request.zone, std::move(settings), std::move(nothing_yet));
  co_return acknowledged(done);
}

net::Task<base::Result<std::string>> Writer::on_zone(Request request) {
  if (request.method == Method::set_domain_metadata) {
    auto body = std::get<Metadata>(request.body);
    if (!body.zone) {
      co_return refusal("no such zone");
    }
    base::Result<store::Revision> const done =
        co_await store_->set_metadata(*body.zone, std::move(body.kind), std::move(body.values));
    co_return acknowledged(done);
  }
  if (request.method == Method::add_domain_key) {
    auto body = std::get<AddKey>(request.body);
    if (!body.zone) {
      co_return refusal("no such zone");
    }
    store::Key key{0, body.flags, body.active, body.published, std::move(body.content)};
    base::Result<std::int64_t> const id = co_await store_->add_key(*body.zone, std::move(key));
    if (!id) {
      co_return refusal(id.error().what());
    }
    std::string out;
    reply_number(out, *id);
    co_return out;
  }
  co_return co_await on_key(request.method, std::get<KeyOf>(request.body));
}

net::Task<base::Result<std::string>> Writer::on_key(Method method, KeyOf request) {
  if (!request.zone) {
    co_return refusal("no such zone");
  }
  if (method == Method::remove_domain_key) {
    base::Result<store::Revision> const done = co_await store_->remove_key(*request.zone, request.id);
    co_return acknowledged(done);
  }
  std::optional<bool> active;
  std::optional<bool> published;
  if (method == Method::activate_domain_key || method == Method::deactivate_domain_key) {
    active = method == Method::activate_domain_key;
  } else {
    published = method == Method::publish_domain_key;
  }
  base::Result<store::Revision> const done =
      co_await store_->set_key_state(*request.zone, request.id, active, published);
  co_return acknowledged(done);
}

base::Result<std::string> Writer::in_transaction(Request const& request, store::Snapshot const& snapshot) {
  if (auto const* const start = std::get_if<StartTransaction>(&request.body)) {
    store::ZonePtr const zone = start->zone ? snapshot.zone(*start->zone) : nullptr;
    // A zone deleted and made again has another id: what was meant for the old one is not for it.
    if (!zone || (start->domain_id != any_zone && start->domain_id != zone->id)) {
      return refusal("no such zone");
    }
    transaction_.emplace(*start->zone, start->domain_id != any_zone);
    return yes();
  }
  if (request.method == Method::abort_transaction) {
    transaction_.reset();
    return yes();
  }
  if (!transaction_) {
    return refusal("no transaction is open");
  }
  base::Result<void> done;
  if (auto const* const feed = std::get_if<FeedRecord>(&request.body)) {
    done = transaction_->feed(feed->record);
  } else if (auto const* const replacement = std::get_if<ReplaceRRset>(&request.body)) {
    store::ZonePtr const zone = snapshot.zone(transaction_->apex());
    store::EntryPtr const present = zone && replacement->owner ? zone->find(*replacement->owner) : nullptr;
    done = transaction_->replace(*replacement, present);
  }
  return acknowledged(done);
}

net::Task<base::Result<std::string>> Writer::commit() {
  if (!transaction_) {
    co_return refusal("no transaction is open");
  }
  Transaction transaction = std::move(*transaction_);
  transaction_.reset();
  if (!transaction.broken().empty()) {
    co_return base::fail(errc::bad_request, "the transaction on " + transaction.apex().text() +
                                                " was not committed: " + transaction.broken());
  }
  if (!transaction.whole() && transaction.empty()) {
    co_return yes();  // rectify: order and auth are derived here
  }
  dns::Name const apex = transaction.apex();
  bool const whole = transaction.whole();
  std::vector<dns::OwnedRRset> rrsets = transaction.take();
  base::Result<store::Revision> done(0);
  if (whole) {
    done = co_await store_->import_zone(apex, std::move(rrsets));
  } else {
    done = co_await store_->replace_rrsets(apex, std::move(rrsets));
  }
  if (!done) {
    co_return base::Failure{done.error().code,
                            "the transaction on " + apex.text() + " was not committed: " + done.error().detail};
  }
  co_return yes();
}

}  // namespace remote
