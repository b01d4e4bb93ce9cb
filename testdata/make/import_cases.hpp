#pragma once

#include <cstdint>
#include <filesystem>

namespace keel::testdata {

/// Writes chains to measure an import with, each on a genesis of `accounts` accounts: transfers
/// alone, transfers of a token whose holders are all accounts, and loads and stores of one large
/// storage. NAME.json (genesis), NAME.rlp, and manifest.json with what each file must lead to. The
/// same bytes each time. Returns an exit code.
int make_import_cases(const std::filesystem::path& directory, uint64_t accounts);

inline constexpr uint64_t kImportAccounts = 1'000'000;

}  // namespace keel::testdata
