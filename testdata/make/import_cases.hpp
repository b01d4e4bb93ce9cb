#pragma once

#include <cstdint>
#include <filesystem>

namespace keel::testdata {

/// Writes chains of full blocks to measure an import with: transfers among few accounts, and to any
/// of `accounts`; transfers of a token that all of these hold; loads and stores of one storage of
/// nearly as many slots. NAME.json (genesis), NAME.rlp, and manifest.json with what each file must
/// lead to. The same bytes each time. Returns an exit code.
int make_import_cases(const std::filesystem::path& directory, uint64_t accounts);

inline constexpr uint64_t kImportAccounts = 1'000'000;

}  // namespace keel::testdata
