// Countries, continents and coordinates out of a MaxMind database (GeoLite2-City, GeoLite2-Country, DB-IP and others in
// the MMDB format).
//
// The file is mapped, never copied. Replace it by renaming a new one over it and opening that; a file that is cut short
// while it is mapped ends the process.
//
// Threads: immutable; any thread. open() blocks.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/geo/geo.hpp"

#include <boost/system/result.hpp>

namespace geo {

class Mmdb final : public Locator {
 public:
  // One problem, with the file's name and why it cannot be used.
  static boost::system::result<std::shared_ptr<Mmdb const>, base::Problems> open(std::string const& path);
  ~Mmdb() override;
  Mmdb(Mmdb const&) = delete;
  Mmdb& operator=(Mmdb const&) = delete;

  // country.iso_code, continent.code and location of the record; nullopt when there is none or it is damaged.
  [[nodiscard]] std::optional<Place> locate(Client const& client) const override;

 private:
  struct File;
  explicit Mmdb(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

}  // namespace geo
