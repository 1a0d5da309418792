// Chains and keys as tenants bring them: the text up to the first NUL is the chain, the rest the key.
#include "acme/upload/upload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(reinterpret_cast<char const*>(data), size);
  std::size_t const end = std::min(text.find('\0'), text.size());
  upload::Ground const ground{
      {"www.customer.example"}, {"www.customer.example"}, crypto::Time{std::chrono::hours(500000)}};
  auto const checked = upload::look_through({text.substr(0, end), text.substr(std::min(end + 1, text.size()))}, ground);
  // What is taken holds nothing but PEM, whatever stood around it.
  if (checked && !checked->chain_pem.starts_with("-----BEGIN CERTIFICATE-----\n")) {
    std::abort();
  }
  return 0;
}
