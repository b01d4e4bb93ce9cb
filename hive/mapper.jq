# What `keel init --hive` makes of a genesis file, written for reading: the config of the file is replaced by
# the one that the HIVE_ variables describe; everything else passes as it came.
#   jq -f mapper.jq genesis.json
# Numbers stay text where a double could not hold them. Source: the table of environment variables of hive's clients.

# Value of HIVE_<name> as a number; null when it is not set.
def number($name):
  env["HIVE_" + $name]
  | if . == null or . == "" then null
    else . as $text | tonumber | if tostring == $text then . else $text end end;

# Made-up forks of tests, perhaps behind Amsterdam, take the slots of BPO3 and BPO4; their names take precedence.
def parameter($fork; $what):
  ({ BPO3: "BPO_INCREASE", BPO4: "BPO_DECREASE" }[$fork] // $fork) as $newer
  | number($newer + $what) // number($fork + $what);

def time($fork): parameter($fork; "_TIMESTAMP");

# Blob parameters of a fork: what is given, over the defaults; null when the fork has neither time nor parameter.
def blobs($fork; $target; $max; $fraction):
  { target: parameter($fork; "_BLOB_TARGET"),
    max: parameter($fork; "_BLOB_MAX"),
    baseFeeUpdateFraction: parameter($fork; "_BLOB_BASE_FEE_UPDATE_FRACTION") }
  | if time($fork) == null and all(.[]; . == null) then null
    else { target: (.target // $target),
           max: (.max // $max),
           baseFeeUpdateFraction: (.baseFeeUpdateFraction // $fraction) } end;

def without_empty:
  if type == "object" then
    with_entries(.value |= without_empty) | with_entries(select(.value != null and .value != "" and .value != []))
  else . end;

. + { config: ({
    ethash: (if number("CLIQUE_PERIOD") == null then {} else null end),
    clique: (if number("CLIQUE_PERIOD") == null then null else { period: number("CLIQUE_PERIOD"), epoch: 30000 } end),
    chainId: (number("CHAIN_ID") // 1),
    homesteadBlock: number("FORK_HOMESTEAD"),
    daoForkBlock: number("FORK_DAO_BLOCK"),
    daoForkSupport: (if env.HIVE_FORK_DAO_VOTE == null then null else env.HIVE_FORK_DAO_VOTE == "1" end),
    eip150Block: number("FORK_TANGERINE"),
    eip155Block: number("FORK_SPURIOUS"),
    eip158Block: number("FORK_SPURIOUS"),
    byzantiumBlock: number("FORK_BYZANTIUM"),
    constantinopleBlock: number("FORK_CONSTANTINOPLE"),
    petersburgBlock: number("FORK_PETERSBURG"),
    istanbulBlock: number("FORK_ISTANBUL"),
    muirGlacierBlock: (number("FORK_MUIR_GLACIER") // number("FORK_MUIRGLACIER")),
    berlinBlock: number("FORK_BERLIN"),
    londonBlock: number("FORK_LONDON"),
    arrowGlacierBlock: number("FORK_ARROW_GLACIER"),
    grayGlacierBlock: number("FORK_GRAY_GLACIER"),
    mergeNetsplitBlock: number("MERGE_BLOCK_ID"),
    terminalTotalDifficulty: number("TERMINAL_TOTAL_DIFFICULTY"),
    terminalTotalDifficultyPassed:
      (if env.HIVE_TERMINAL_TOTAL_DIFFICULTY_PASSED == null then null
       else env.HIVE_TERMINAL_TOTAL_DIFFICULTY_PASSED | . == "1" or . == "true" end),
    shanghaiTime: time("SHANGHAI"),
    cancunTime: time("CANCUN"),
    pragueTime: time("PRAGUE"),
    osakaTime: time("OSAKA"),
    bpo1Time: time("BPO1"),
    bpo2Time: time("BPO2"),
    bpo3Time: time("BPO3"),
    bpo4Time: time("BPO4"),
    bpo5Time: time("BPO5"),
    amsterdamTime: time("AMSTERDAM"),
    bogotaTime: time("BOGOTA"),
    depositContractAddress: (env.HIVE_DEPOSIT_CONTRACT_ADDRESS // "0x00000000219ab540356cBB839Cbe05303d7705Fa"),
    blobSchedule: {
      cancun: blobs("CANCUN"; 3; 6; 3338477),
      prague: blobs("PRAGUE"; 6; 9; 5007716),
      osaka: blobs("OSAKA"; 6; 9; 5007716),
      bpo1: blobs("BPO1"; 10; 15; 8346193),
      bpo2: blobs("BPO2"; 14; 21; 11684671),
      bpo3: blobs("BPO3"; 9; 14; 8832827),
      bpo4: blobs("BPO4"; 9; 14; 8832827),
      bpo5: blobs("BPO5"; 9; 14; 8832827),
      amsterdam: blobs("AMSTERDAM"; 14; 21; 11684671),
      bogota: blobs("BOGOTA"; 14; 21; 11684671)
    }
  } | without_empty) }
