#include "acme/revocations/revocations.hpp"

#include "acme/crypto/certificate.hpp"
#include "acme/schedule/renewal.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <iterator>

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;

constexpr char const* component = "acme";

FailureClass class_of(base::Failure const& failure) {
  bool const acts = failure.code == protocol::errc::refused || failure.code == protocol::errc::no_account ||
                    failure.code == vault::errc::not_found || failure.code == keyring::errc::sealed;
  return acts ? FailureClass::account : FailureClass::transient;
}

}  // namespace

Revocations::Revocations(vault::Vault& vault, std::function<Authority*(std::string const&)> authority_of,
                         std::chrono::milliseconds first_retry)
    : vault_(vault), authority_of_(std::move(authority_of)), first_retry_(first_retry) {}

void Revocations::add(vault::CertificateRow certificate) {
  std::int64_t const sequence = certificate.sequence;
  pending_[sequence] = PendingRevocation{std::move(certificate), 0, {}, {}};
}

bool Revocations::holds(std::int64_t subject_id) const {
  return std::ranges::any_of(
      pending_, [subject_id](auto const& item) { return item.second.certificate.subject_id == subject_id; });
}

std::optional<Time> Revocations::next() const {
  std::optional<Time> first;
  for (auto const& [sequence, one] : pending_) {
    Time const at = std::min(one.not_before, one.certificate.not_after);
    first = std::min(first.value_or(at), at);
  }
  return telling_ ? std::nullopt : first;
}

std::vector<PendingRevocation> Revocations::list() const {
  std::vector<PendingRevocation> list;
  std::ranges::transform(pending_, std::back_inserter(list), [](auto const& item) { return item.second; });
  return list;
}

net::Task<void> Revocations::tell() {
  if (telling_) {
    co_return;
  }
  telling_ = true;
  auto const todo = list();
  for (PendingRevocation const& one : todo) {
    vault::CertificateRow const& row = one.certificate;
    Time const now = wall_now();
    if (row.not_after <= now) {
      process::log::warning(component, "a certificate expired before its CA took the revocation subject_id={} name={}",
                            row.subject_id, row.subject);
      pending_.erase(row.sequence);
      continue;
    }
    if (one.not_before > now) {
      continue;
    }
    auto const told = co_await tell_one(row);
    auto const found = pending_.find(row.sequence);
    if (found == pending_.end() || told) {
      pending_.erase(row.sequence);
      continue;
    }
    PendingRevocation& kept = found->second;
    ++kept.failures;
    kept.last_error = told.error().what();
    kept.not_before = wall_now() + pause_after(class_of(told.error()), kept.failures, first_retry_);
    process::log::warning(component,
                          "the CA was not told of a revocation subject_id={} name={} failures={} error=\"{}\"",
                          row.subject_id, row.subject, kept.failures, kept.last_error);
  }
  telling_ = false;
}

net::Task<base::Result<void>> Revocations::tell_one(vault::CertificateRow certificate) {
  Authority* const authority = authority_of_(certificate.directory_url);
  if (authority == nullptr) {
    co_return base::fail(vault::errc::not_found,
                         "the CA that issued it is not in the settings: '" + certificate.directory_url + "'");
  }
  auto const ready = co_await authority->ready();
  if (!ready) {
    co_return ready;
  }
  auto const chain = co_await vault_.chain(certificate.sequence);
  if (!chain) {
    co_return chain.error();
  }
  auto const der = crypto::leaf_der(*chain);
  if (!der) {
    co_return der.error();
  }
  auto const client = authority->client();
  auto const told = co_await client->revoke(*der, *certificate.revoked_reason);
  if (!told) {
    co_return told;
  }
  co_return co_await vault_.mark_revoked(certificate.sequence, *certificate.revoked_reason, wall_now());
}

}  // namespace acme
