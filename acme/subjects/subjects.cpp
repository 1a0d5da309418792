#include "acme/subjects/subjects.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/crypto/encoding.hpp"
#include "dns-backend/tables/model.hpp"

#include <libpsl.h>

#include <algorithm>

namespace acme {
namespace {

std::string last_labels(std::string const& name, std::size_t count) {
  std::size_t at = name.size();
  for (std::size_t labels = 0; labels < count && at != std::string::npos && at != 0; ++labels) {
    at = name.rfind('.', at - 1);
  }
  return at == std::string::npos || at == 0 ? name : name.substr(at + 1);
}

}  // namespace

char const* name(Wanted::Kind kind) {
  switch (kind) {
    case Wanted::Kind::own:
      return "own";
    case Wanted::Kind::former:
      return "former";
    case Wanted::Kind::domain:
      break;
  }
  return "domain";
}

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

std::string order_owner(std::int64_t tenant_id, std::int64_t subject_id) {
  return challenge_owner(tenant_id, subject_id) + order_infix + "/" + std::to_string(subject_id);
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
  auto moved = co_await movements_.follow();
  if (!moved) {
    co_return moved.error();
  }
  News news;
  news.anew = moved->anew;
  news.tenants = std::move(moved->tenants);
  if (!news.anew && news.tenants.empty()) {
    co_return news;
  }
  co_return co_await look(std::move(news));
}

net::Task<base::Result<News>> Wishes::look(News news) {
  std::function<base::Result<News>(store::Model const&, database::Database&)> const read =
      [zone = challenge_zone_, asked = std::move(news)](store::Model const& model,
                                                        database::Database&) -> base::Result<News> {
    News out = asked;
    if (out.anew) {
      for (auto const& [id, tenant] : model.tenants()) {
        out.tenants.insert(id);
      }
    }
    for (std::int64_t const id : out.tenants) {
      auto const tenant = model.tenants().find(id);
      if (tenant != model.tenants().end() && tenant->second.state != "active") {
        out.resting.insert(id);
      }
    }
    out.wanted = domains::wanted_certificates(model, zone, out.anew ? nullptr : &out.tenants);
    std::erase_if(out.wanted, [](Wanted const& one) { return !crypto::is_certificate_name(one.name); });
    return out;
  };
  co_return co_await store_.read<News>(read);
}

}  // namespace acme
