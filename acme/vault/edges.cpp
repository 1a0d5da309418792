// What edges acknowledged, and everything that decides what they serve.
#include "acme/vault/vault.hpp"

#include "acme/vault/statements.hpp"

namespace vault {
namespace {

// Neighbouring ids are read as one range, single ones one by one.
struct Range {
  std::int64_t first;
  std::int64_t last;
};

std::vector<Range> ranges_of(std::set<std::int64_t> const& ids) {
  constexpr std::int64_t gap_max = 8;
  std::vector<Range> ranges;
  for (std::int64_t const id : ids) {
    if (ranges.empty() || id - ranges.back().last > gap_max) {
      ranges.push_back({id, id});
    }
    ranges.back().last = id;
  }
  return ranges;
}

}  // namespace

net::Task<base::Result<std::map<std::int64_t, Standing>>> Vault::standing(std::set<std::int64_t> tenants) {
  using Standings = std::map<std::int64_t, Standing>;
  std::string const certificates = "SELECT " + std::string(certificate_columns) + std::string(certificate_rows) +
                                   "WHERE tenant_id BETWEEN ? AND ? ORDER BY sequence";
  Work<Standings> const work = [=](Database& database) -> base::Result<Standings> {
    Standings out;
    for (Range const& range : ranges_of(tenants)) {
      auto const rows = database.query(certificates, {range.first, range.last});
      if (!rows) {
        return rows.error();
      }
      for (CertificateRow& row : certificates_of(*rows)) {
        if (tenants.contains(row.tenant_id)) {
          out[row.tenant_id].certificates.push_back(std::move(row));
        }
      }
      auto const heard = database.query(
          "SELECT subject_id, edge, sequence, fingerprint, tenant_id FROM acme_subject JOIN edge_acknowledgment ON "
          "subject_id = acme_subject.id WHERE tenant_id BETWEEN ? AND ?",
          {range.first, range.last});
      if (!heard) {
        return heard.error();
      }
      for (Row const& row : *heard) {
        if (tenants.contains(integer(row[4]))) {
          out[integer(row[4])].acknowledgments.push_back(
              {integer(row[0]), text(row[1]), integer(row[2]), text(row[3])});
        }
      }
    }
    return out;
  };
  co_return co_await thread_.run<Standings>(work);
}

net::Task<base::Result<std::set<std::int64_t>>> Vault::tenants() {
  Work<Rows> const work = reading("SELECT DISTINCT tenant_id FROM acme_subject");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  auto const ids = first_column(*rows);
  co_return std::set<std::int64_t>(ids.begin(), ids.end());
}

net::Task<base::Result<std::vector<Acknowledgment>>> Vault::acknowledgments() {
  Work<Rows> const work = reading("SELECT subject_id, edge, sequence, fingerprint FROM edge_acknowledgment");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<Acknowledgment> list;
  for (Row const& row : *rows) {
    list.push_back({integer(row[0]), text(row[1]), integer(row[2]), text(row[3])});
  }
  co_return list;
}

net::Task<base::Result<void>> Vault::drop_acknowledgments(std::string edge, std::vector<std::int64_t> subjects) {
  Body const body = [=](Transaction& transaction) -> base::Result<void> {
    for (std::int64_t const subject_id : subjects) {
      auto const dropped =
          execute(transaction, "DELETE FROM edge_acknowledgment WHERE subject_id = ? AND edge = ?", {subject_id, edge});
      if (!dropped) {
        return dropped;
      }
    }
    return {};
  };
  Work<std::int64_t> const work = writing(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

// An older certificate is served instead of a newer one that was revoked; else a late word says nothing new.
net::Task<base::Result<void>> Vault::acknowledge(Acknowledgment acknowledgment, Time now) {
  Body const body = [=](Transaction& transaction) -> base::Result<void> {
    auto const known = transaction.query(
        "SELECT 1 FROM certificate WHERE subject_id = ? AND fingerprint = ? AND sequence = ? AND not_after_ms > ?",
        {acknowledgment.subject_id, acknowledgment.fingerprint, acknowledgment.sequence, crypto::to_ms(now)});
    if (!known) {
      return known.error();
    }
    if (known->empty()) {
      return base::fail(errc::stale, "fingerprint " + acknowledgment.fingerprint);
    }
    return execute(transaction,
                   "INSERT INTO edge_acknowledgment (subject_id, edge, sequence, fingerprint, at_ms) VALUES (?, ?, ?, "
                   "?, ?) ON CONFLICT (subject_id, edge) DO UPDATE SET sequence = excluded.sequence, fingerprint = "
                   "excluded.fingerprint, at_ms = excluded.at_ms WHERE excluded.sequence >= "
                   "edge_acknowledgment.sequence OR NOT EXISTS (SELECT 1 FROM certificate WHERE sequence = "
                   "edge_acknowledgment.sequence AND revoked_reason IS NULL AND not_after_ms > excluded.at_ms)",
                   {acknowledgment.subject_id, acknowledgment.edge, acknowledgment.sequence, acknowledgment.fingerprint,
                    crypto::to_ms(now)});
  };
  Work<std::int64_t> const work = writing(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

}  // namespace vault
