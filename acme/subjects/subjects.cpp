#include "acme/subjects/subjects.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/crypto/encoding.hpp"
#include "dns-backend/tables/model.hpp"

#include <libpsl.h>

#include <algorithm>

namespace acme {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t rows_max = 1000;

std::string last_labels(std::string const& name, std::size_t count) {
  std::size_t at = name.size();
  for (std::size_t labels = 0; labels < count && at != std::string::npos && at != 0; ++labels) {
    at = name.rfind('.', at - 1);
  }
  return at == std::string::npos || at == 0 ? name : name.substr(at + 1);
}

void note(std::vector<database::Change> const& rows, std::set<std::int64_t>& tenants) {
  for (database::Change const& change : rows) {
    if (change.table == "tenant") {
      tenants.insert(database::integer(change.key.front().second));
    }
  }
}

}  // namespace

std::string registered_domain(std::string const& name, std::vector<std::string> const& suffixes) {
  std::size_t labels = 2;
  if (char const* const listed = psl_registrable_domain(psl_builtin(), name.c_str()); listed != nullptr) {
    labels = static_cast<std::size_t>(std::ranges::count(std::string_view(listed), '.')) + 1;
  }
  for (std::string const& suffix : suffixes) {
    if (name.ends_with("." + suffix)) {
      labels = std::max<std::size_t>(labels, static_cast<std::size_t>(std::ranges::count(suffix, '.')) + 2);
    }
  }
  return last_labels(name, labels);
}

std::string challenge_owner(std::int64_t tenant_id, std::int64_t subject_id) {
  return "acme/" + std::to_string(tenant_id) + "/" + std::to_string(subject_id);
}

std::string standing_key(std::string const& directory_url) {
  return crypto::hex(crypto::sha256(directory_url)).substr(0, 16);
}

std::string standing_owner(std::int64_t tenant_id, std::int64_t subject_id, std::string const& directory_url) {
  return challenge_owner(tenant_id, subject_id) + standing_infix + "/" + standing_key(directory_url);
}

bool fits(Wanted const& wanted, vault::CertificateRow const& row) {
  return row.tenant_id == wanted.tenant_id && row.subject == wanted.name && (row.uploaded || row.names == wanted.names);
}

net::Task<base::Result<News>> Wishes::follow() {
  if (history_.empty()) {
    co_return co_await everything();
  }
  News news;
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
    note(changes->rows, news.tenants);
    if (changes->to <= next_) {
      break;
    }
    next_ = changes->to;
  }
  if (news.tenants.empty()) {
    co_return news;
  }
  co_return co_await look(std::move(news));
}

net::Task<base::Result<News>> Wishes::everything() {
  auto const position = co_await store_.position();
  if (!position) {
    co_return position.error();
  }
  next_ = position->revision;
  next_history_ = position->history;
  News news;
  news.anew = true;
  co_return co_await look(std::move(news));
}

net::Task<base::Result<News>> Wishes::look(News news) {
  std::function<base::Result<News>(store::Model const&, database::Database&)> const read =
      [zone = challenge_zone_, asked = std::move(news)](store::Model const& model,
                                                        database::Database&) -> base::Result<News> {
    News out = asked;
    for (auto const& [id, tenant] : model.tenants()) {
      if (out.anew) {
        out.tenants.insert(id);
      }
      if (tenant.state != "active" && out.tenants.contains(id)) {
        out.resting.insert(id);
      }
    }
    out.wanted = domains::wanted_certificates(model, zone, out.anew ? nullptr : &out.tenants);
    std::erase_if(out.wanted, [](Wanted const& one) { return !crypto::is_certificate_name(one.name); });
    return out;
  };
  co_return co_await store_.read<News>(read);
}

void Wishes::taken() {
  seen_ = next_;
  history_ = next_history_;
}

}  // namespace acme
