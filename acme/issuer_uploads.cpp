// Certificates that tenants bring: looked through, sealed and served like those of a CA.
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

namespace acme {
namespace {

using crypto::wall_now;

constexpr char const* component = "acme";

base::Failure no_such(std::string const& name) {
  return base::fail(vault::errc::not_found, "there is no verified name '" + name + "'");
}

// No order begins for the subject while this is there.
class Busy {
 public:
  Busy(std::shared_ptr<std::set<std::int64_t>> all, std::int64_t subject_id)
      : all_(std::move(all)), subject_id_(subject_id) {
    all_->insert(subject_id_);
  }
  ~Busy() { all_->erase(subject_id_); }
  Busy(Busy const&) = delete;
  Busy& operator=(Busy const&) = delete;

 private:
  std::shared_ptr<std::set<std::int64_t>> all_;
  std::int64_t subject_id_;
};

}  // namespace

Issuer::Subject const* Issuer::subject_of(std::int64_t tenant_id, std::string const& name) const {
  auto const row = rows_.find({tenant_id, name});
  auto const found = row == rows_.end() ? subjects_.end() : subjects_.find(row->second);
  return found == subjects_.end() ? nullptr : &found->second;
}

std::optional<SubjectStatus> Issuer::status_of(std::int64_t tenant_id, std::string const& name) const {
  Subject const* const subject = subject_of(tenant_id, name);
  return subject == nullptr ? std::nullopt : std::optional(status_of(subject->row.id, *subject, wall_now()));
}

net::Task<base::Result<base::Problems>> Issuer::take_upload(std::int64_t tenant_id, std::string name,
                                                            upload::Upload upload, bool fallback) {
  if (!leads() || !loaded_) {
    co_return base::fail(vault::errc::fenced, "this Navigator issues no certificates now");
  }
  Subject const* const subject = subject_of(tenant_id, name);
  if (subject == nullptr) {
    co_return no_such(name);
  }
  if (flights_.contains(subject->row.id)) {  // its certificate would replace the one that is brought
    co_return base::fail(protocol::errc::unavailable, "an order for '" + name + "' is under way; try again");
  }
  if (uploading_->contains(subject->row.id)) {
    co_return base::fail(protocol::errc::unavailable, "another certificate for '" + name + "' is being stored");
  }
  Busy const busy(uploading_, subject->row.id);
  upload::Ground ground{subject->wanted.names, {}, wall_now()};
  for (auto row = rows_.lower_bound({tenant_id, std::string()}); row != rows_.end() && row->first.first == tenant_id;
       ++row) {
    if (subjects_.contains(row->second)) {
      ground.owned.insert(row->first.second);
    }
  }
  auto checked = upload::look_through(upload, ground);
  if (!checked) {
    co_return checked.error();
  }
  crypto::Certificate const& certificate = checked->certificate;
  vault::CertificateRow row{0,
                            subject->row.id,
                            tenant_id,
                            name,
                            certificate.names,
                            certificate.fingerprint,
                            certificate.not_before,
                            certificate.not_after};
  row.uploaded = true;
  row.fallback = fallback;
  auto const sequence = co_await vault_.add_certificate(row, certificate, std::move(checked->chain_pem),
                                                        std::move(checked->key_pem), wall_now());
  if (!sequence) {
    co_return sequence.error();
  }
  row.sequence = *sequence;
  process::log::info(component, "certificate brought by its tenant tenant_id={} name={} sequence={} fingerprint={}",
                     tenant_id, name, row.sequence, row.fingerprint);
  forget_attempts(attempts_, row.subject_id);
  if (auto const found = subjects_.find(row.subject_id);
      found != subjects_.end() && (!found->second.certificate || found->second.certificate->sequence <= row.sequence)) {
    hold(row.subject_id, row);
    poke();
  }
  tell(tenant_id);
  co_return base::Problems();
}

net::Task<base::Result<void>> Issuer::remove_upload(std::int64_t tenant_id, std::string name) {
  if (!leads() || !loaded_) {  // what is not read yet is not gone
    co_return base::fail(vault::errc::fenced, "this Navigator issues no certificates now");
  }
  Subject const* const subject = subject_of(tenant_id, name);
  if (subject == nullptr) {
    co_return no_such(name);
  }
  std::int64_t const id = subject->row.id;
  auto const removed = co_await vault_.remove_uploads(id);
  if (!removed) {
    co_return removed.error();
  }
  if (*removed == 0) {
    co_return base::fail(vault::errc::not_found, "no certificate was brought for '" + name + "'");
  }
  auto const rows = co_await vault_.certificates(id);
  if (!rows) {
    loaded_ = false;  // what is there now is read again
    co_return rows.error();
  }
  if (auto const found = subjects_.find(id); found != subjects_.end()) {
    vault::CertificateRow const* const best = newest(found->second.wanted, *rows, wall_now());
    hold(id, best == nullptr ? std::nullopt : std::optional(*best));
    poke();
  }
  process::log::info(component, "certificate of a tenant's own removed tenant_id={} name={}", tenant_id, name);
  tell(tenant_id);
  co_return base::Result<void>();
}

}  // namespace acme
