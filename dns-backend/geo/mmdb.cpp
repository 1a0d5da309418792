#include "dns-backend/geo/mmdb.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <maxminddb.h>
#include <netinet/in.h>

namespace geo {
namespace {

constexpr unsigned ipv4_offset = 96;  // where the tree of an IPv6 database keeps IPv4

// With an array of keys: the variadic function takes its own from the heap.
template <std::size_t count>
std::optional<MMDB_entry_data_s> value_at(MMDB_entry_s entry, std::array<char const*, count> const& path) {
  static_assert(count > 0);
  MMDB_entry_data_s data{};
  if (MMDB_aget_value(&entry, &data, path.data()) != MMDB_SUCCESS || !data.has_data) {
    return std::nullopt;
  }
  return data;
}

using Path = std::array<char const*, 3>;
constexpr Path country{"country", "iso_code", nullptr};
constexpr Path continent{"continent", "code", nullptr};
constexpr Path latitude{"location", "latitude", nullptr};
constexpr Path longitude{"location", "longitude", nullptr};

std::string_view text_at(MMDB_entry_s const& entry, Path const& path) {
  auto const data = value_at(entry, path);
  return data && data->type == MMDB_DATA_TYPE_UTF8_STRING ? std::string_view(data->utf8_string, data->data_size)
                                                          : std::string_view();
}

std::optional<double> number_at(MMDB_entry_s const& entry, Path const& path) {
  auto const data = value_at(entry, path);
  if (data && data->type == MMDB_DATA_TYPE_DOUBLE) {
    return data->double_value;
  }
  return data && data->type == MMDB_DATA_TYPE_FLOAT ? std::optional<double>(data->float_value) : std::nullopt;
}

MMDB_lookup_result_s look_up(MMDB_s const& file, Client const& client, int& error) {
  if (client.ipv6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, client.octets.data(), sizeof address.sin6_addr);
    return MMDB_lookup_sockaddr(&file, reinterpret_cast<sockaddr const*>(&address), &error);  // NOLINT
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, client.octets.data(), sizeof address.sin_addr);
  return MMDB_lookup_sockaddr(&file, reinterpret_cast<sockaddr const*>(&address), &error);  // NOLINT
}

}  // namespace

struct Mmdb::File {
  MMDB_s handle{};
};

Mmdb::Mmdb(std::unique_ptr<File> file) : file_(std::move(file)) {}

Mmdb::~Mmdb() {
  MMDB_close(&file_->handle);
}

boost::system::result<std::shared_ptr<Mmdb const>, base::Problems> Mmdb::open(std::string const& path) {
  auto file = std::make_unique<File>();
  errno = 0;
  int const status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &file->handle);
  if (status != MMDB_SUCCESS) {
    bool const system = (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR) && errno != 0;
    std::string const reason = system ? std::strerror(errno) : MMDB_strerror(status);
    return base::Problems{{{path, 0, 0},
                           {},
                           "the MaxMind database cannot be opened: " + reason,
                           "name a file in the MMDB format that this user may read, for instance GeoLite2-City.mmdb"}};
  }
  return std::shared_ptr<Mmdb const>(new Mmdb(std::move(file)));  // NOLINT: a private constructor
}

std::optional<Place> Mmdb::locate(Client const& client) const {
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s const found = look_up(file_->handle, client, error);
  if (client.bits == 0 || error != MMDB_SUCCESS || !found.found_entry) {
    return std::nullopt;
  }
  Place place;
  place.region = text_at(found.entry, country);
  place.continent = text_at(found.entry, continent);
  auto const north = number_at(found.entry, latitude);
  auto const east = number_at(found.entry, longitude);
  place.has_coordinates = north && east;
  place.latitude = north.value_or(0);
  place.longitude = east.value_or(0);
  constexpr std::uint16_t ipv6_version = 6;
  bool const offset = !client.ipv6 && file_->handle.metadata.ip_version == ipv6_version;
  unsigned const depth = offset ? std::max<unsigned>(found.netmask, ipv4_offset) - ipv4_offset : found.netmask;
  place.scope_bits = static_cast<std::uint8_t>(std::min<unsigned>(depth, client.bits));
  return place;
}

}  // namespace geo
