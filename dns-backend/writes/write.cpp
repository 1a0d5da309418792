#include "dns-backend/writes/write.hpp"

namespace store {
namespace {

// Boost's category has no virtual destructor; categories are static objects and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "store"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_found:
        return "not found";
      case errc::exists:
        return "exists already";
      case errc::refused:
        return "refused";
      case errc::read_only:
        return "this is a replica; write to the primary";
      case errc::changed:
        return "changed meanwhile";
      case errc::too_many:
        return "too many of a day's";
      case errc::quota:
        return "more than the plan has";
    }
    return "unknown store error";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

base::Result<void> Write::run(std::string_view sql, std::vector<database::Value> const& parameters) const {
  auto const done = transaction.execute(sql, parameters);
  return done ? base::Result<void>() : done.error();
}

base::Result<void> Write::run_on_row(std::string_view sql, std::vector<database::Value> const& parameters,
                                     base::Failure missing) const {
  auto const done = transaction.execute(sql, parameters);
  if (!done) {
    return done.error();
  }
  return *done > 0 ? base::Result<void>() : std::move(missing);
}

base::Result<ZoneRow> Write::zone(dns::Name const& apex) const {
  ZoneRow const* const row = model.zone(apex);
  if (row == nullptr) {
    return base::fail(errc::not_found, "there is no zone " + apex.text());
  }
  return *row;
}

base::Result<void> Write::raise_serial(ZoneRow const& zone, std::optional<std::uint32_t> wanted) const {
  if (zone.kind == "slave") {
    // One more than the primary's would keep its next change away from here.
    return run("UPDATE zone SET serial = coalesce(?, serial) WHERE id = ?",
               {wanted ? database::Value(std::int64_t{*wanted}) : database::Value(), zone.id});
  }
  bool const ahead = wanted && dns::serial_after(*wanted, zone.serial);
  std::uint32_t const next = ahead ? *wanted : zone.serial + 1;
  return run("UPDATE zone SET serial = ? WHERE id = ?", {std::int64_t{next}, zone.id});
}

}  // namespace store
