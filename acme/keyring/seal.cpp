#include "acme/keyring/seal.hpp"

#include "acme/crypto/encoding.hpp"
#include "base/process/service.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace keyring {

struct Sealer::Secret {
  std::array<unsigned char, 32> key{};
  Secret() = default;
  Secret(Secret const&) = delete;
  Secret& operator=(Secret const&) = delete;
  ~Secret() { OPENSSL_cleanse(key.data(), key.size()); }
};

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t overhead = 1 + nonce_size + tag_size;

struct ContextFreed {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFreed>;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

std::string decode(std::string text) {
  if (text.size() == 32) {
    return text;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '=')) {
    text.pop_back();
  }
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return crypto::from_base64url(text).value_or("");
}

}  // namespace

base::Result<Sealer> Sealer::load(std::string const& path, bool may_create, bool credential) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT || !may_create) {
      std::string const hint = errno == ENOENT ? "; sealed keys exist that only the former file opens" : "";
      return base::fail(errc::key_file, base::fail_errno(errno, path).what() + hint);
    }
    if (auto const created = create_file(path); !created) {
      return created.error();
    }
    if (stat(path.c_str(), &status) != 0) {
      return base::fail(errc::key_file, base::fail_errno(errno, path).what());
    }
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & (credential ? 037U : 077U)) != 0) {
    return base::fail(errc::key_file, path + " must be a file with mode 0600 or 0400: others must not read it");
  }
  auto const text = process::read_file(path, 256);
  if (!text) {
    return base::fail(errc::key_file, text.error().what());
  }
  std::string key = decode(*text);
  if (key.size() != 32) {
    return base::fail(errc::key_file, path + " must hold 32 octets or their base64");
  }
  auto sealer = from_octets(key);
  OPENSSL_cleanse(key.data(), key.size());
  return sealer;
}

base::Result<void> Sealer::create_file(std::string const& path) {
  Sealer const fresh = generate();
  std::string text = crypto::base64url({reinterpret_cast<char const*>(fresh.secret_->key.data()), 32}) + "\n";
  auto const written = process::write_file_atomically(path, text, 0600);
  OPENSSL_cleanse(text.data(), text.size());
  return written ? written : base::Result<void>(base::fail(errc::key_file, written.error().what()));
}

Sealer Sealer::generate() {
  auto secret = std::make_shared<Secret>();
  ASSERT(RAND_bytes(secret->key.data(), static_cast<int>(secret->key.size())) == 1);
  return Sealer(std::move(secret));
}

base::Result<Sealer> Sealer::from_octets(std::string_view octets) {
  auto secret = std::make_shared<Secret>();
  if (octets.size() != secret->key.size()) {
    return base::fail(errc::sealed, "a key has 32 octets");
  }
  std::ranges::copy(octets, secret->key.begin());
  return Sealer(std::move(secret));
}

std::vector<std::uint8_t> Sealer::wrapped_by(Sealer const& master, std::string_view row) const {
  return master.seal({reinterpret_cast<char const*>(secret_->key.data()), secret_->key.size()}, row);
}

base::Result<Sealer> Sealer::unwrap(Sealer const& master, std::vector<std::uint8_t> const& wrapped,
                                    std::string_view row) {
  auto octets = master.unseal(wrapped, row);
  if (!octets) {
    return octets.error();
  }
  auto key = from_octets(*octets);
  OPENSSL_cleanse(octets->data(), octets->size());
  return key;
}

std::string Sealer::id() const {
  constexpr std::string_view purpose = "sovereign key id ";
  std::array<unsigned char, 32> digest{};
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  bool const done = EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context, purpose.data(), purpose.size()) == 1 &&
                    EVP_DigestUpdate(context, secret_->key.data(), secret_->key.size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  EVP_MD_CTX_free(context);
  ASSERT(done);
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4U];
    text += "0123456789abcdef"[digest[i] & 15U];
  }
  return text;
}

std::vector<std::uint8_t> Sealer::seal(std::string_view plain, std::string_view row) const {
  std::vector<std::uint8_t> sealed(overhead + plain.size());
  sealed[0] = version;
  ASSERT(RAND_bytes(sealed.data() + 1, nonce_size) == 1);
  unsigned char* const body = sealed.data() + 1 + nonce_size;
  Context const context(EVP_CIPHER_CTX_new());
  int size = 0;
  bool const done =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret_->key.data(), sealed.data() + 1) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, octets(row), static_cast<int>(row.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), body, &size, octets(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), body + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, body + plain.size()) == 1;
  ASSERT(done);
  return sealed;
}

base::Result<std::string> Sealer::unseal(std::vector<std::uint8_t> const& sealed, std::string_view row) const {
  if (sealed.size() < overhead || sealed[0] != version) {
    return base::fail(errc::sealed, std::string(row) + " is not in a known form");
  }
  std::size_t const length = sealed.size() - overhead;
  unsigned char const* const body = sealed.data() + 1 + nonce_size;
  std::array<unsigned char, tag_size> tag{};
  std::copy_n(body + length, tag_size, tag.begin());
  std::string plain(length, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(plain.data());
  Context const context(EVP_CIPHER_CTX_new());
  int size = 0;
  bool const done =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret_->key.data(), sealed.data() + 1) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, octets(row), static_cast<int>(row.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), out, &size, body, static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out + size, &size) == 1;
  if (!done) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return base::fail(errc::sealed, std::string(row) + " was sealed with another key, or for another row");
  }
  return plain;
}

}  // namespace keyring
