# Sets $tools, $sdk and $wit for the scripts of this project, after setup.sh has installed the tools. Sourced, not run.
sh setup.sh
tools="${BELLWETHER_TOOLS:-.tools}/javascript"
sdk=bellwether
wit=wit
# Examples lie in Bellwether's own repository and share its SDK and contract.
[ -d "$sdk" ] || sdk=../../sdk/javascript/bellwether
[ -d "$wit" ] || wit=../../wit
made="make the project with \`bellwether plugin new\`"
[ -f "$sdk/index.ts" ] || { echo "the SDK is neither at bellwether/ nor at $sdk: $made" >&2; exit 1; }
[ -d "$wit/types" ] || { echo "the contract is neither at wit/ nor at $wit: $made" >&2; exit 1; }
