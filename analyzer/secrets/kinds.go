package secrets

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

// Kind is a row of the table of secrets: one format.
type Kind struct {
	Name  string
	Means string // a noun phrase without an article: "GitHub token"
	Form  string // how it is recognized, as Markdown
	// Public says that such a value is often meant to be public, restricted by its
	// issuer to some uses.
	Public bool

	anchors []string
	find    func(s *scan, at int, anchor string) (span, bool)
}

// Kinds returns the table. Kinds without anchors are found in files of known names
// and in the configuration of an image.
func Kinds() []Kind {
	kinds := []Kind{
		{Name: "private-key", Means: "private key", Form: "PEM (PKCS#1, PKCS#8, SEC 1, DSA), OpenSSH and PGP, also inside JSON or source code; it must parse as a private key",
			anchors: []string{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"}, find: findPEM},
		{Name: "putty-key", Means: "PuTTY private key", Form: "`PuTTY-User-Key-File-`, with its private lines", anchors: []string{"PuTTY-User-Key-File-"}, find: findPuTTY},
		{Name: "jwk", Means: "private key (JWK)", Form: "a JSON object with `kty` and a private `d` of the right length", anchors: []string{`"kty"`}, find: findJWK},
		{Name: "age-key", Means: "age private key", Form: "`AGE-SECRET-KEY-1`, with its checksum", anchors: []string{"AGE-SECRET-KEY-1"}, find: findAge},

		{Name: "aws-access-key", Means: "AWS access key ID", Form: "`AKIA`, `ASIA`, `ABIA` or `ACCA` and 16 of A-Z, 2-7", anchors: []string{"AKIA", "ASIA", "ABIA", "ACCA"}, find: token("A16")},
		{Name: "aws-secret-key", Means: "AWS secret access key", Form: "40 characters of base64 after `aws_secret_access_key` in any of its spellings",
			anchors: []string{"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "ecretAccessKey"}, find: findAWSSecret},
		{Name: "github-token", Means: "GitHub token", Form: "`ghp_`, `gho_`, `ghu_`, `ghs_` or `ghr_` and 36 letters and digits, with the checksum in the last six",
			anchors: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, find: checked("w36", crcBase62)},
		{Name: "github-pat", Means: "GitHub fine-grained token", Form: "`github_pat_`, 22 and 59 letters and digits", anchors: []string{"github_pat_"}, find: token("w22 =_ w59")},
		{Name: "gitlab-token", Means: "GitLab token", Form: "`glpat-`, `gldt-`, `glrt-`, `glptt-`, `glcbt-`, `glsoat-`, `glft-` and 20 characters or more",
			anchors: []string{"glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-"}, find: token("s20-300 ?.s2-64 ?.s7-64")},
		{Name: "npm-token", Means: "npm token", Form: "`npm_` and 36 letters and digits, with the checksum in the last six", anchors: []string{"npm_"}, find: checked("w36", crcBase62)},
		{Name: "pypi-token", Means: "PyPI token", Form: "`pypi-AgEIcHlwaS5vcmc` or `pypi-AgENdGVzdC5weXBpLm9yZw` and 50 characters or more",
			anchors: []string{"pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"}, find: token("s50-1000")},
		{Name: "rubygems-token", Means: "RubyGems API key", Form: "`rubygems_` and 48 hex digits", anchors: []string{"rubygems_"}, find: token("h48")},
		{Name: "docker-token", Means: "Docker Hub token", Form: "`dckr_pat_` and 27 characters, `dckr_oat_` and 32", anchors: []string{"dckr_pat_", "dckr_oat_"}, find: token("s27-32")},
		{Name: "artifactory-token", Means: "Artifactory API key", Form: "`AKCp` and 69 letters and digits", anchors: []string{"AKCp"}, find: token("w69")},
		{Name: "slack-token", Means: "Slack token", Form: "`xoxb-`, `xoxp-`, `xoxa-`, `xoxr-`, `xoxs-` with numbers and a secret, `xapp-`",
			anchors: []string{"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"}, find: findSlack},
		{Name: "slack-webhook", Means: "Slack webhook", Form: "`hooks.slack.com/services/T…/B…/…`", anchors: []string{"hooks.slack.com/services/"}, find: token("=T U8-12 =/ =B U8-12 =/ w24")},
		{Name: "discord-webhook", Means: "Discord webhook", Form: "`discord.com/api/webhooks/`, a number and 60 to 80 characters",
			anchors: []string{"discord.com/api/webhooks/", "discordapp.com/api/webhooks/"}, find: token("d17-20 =/ s60-80")},
		{Name: "stripe-key", Means: "Stripe live key", Form: "`sk_live_` or `rk_live_` and 24 letters and digits or more", anchors: []string{"sk_live_", "rk_live_"}, find: token("w24-120")},
		{Name: "square-secret", Means: "Square OAuth secret", Form: "`sq0csp-` and 43 characters", anchors: []string{"sq0csp-"}, find: token("s43")},
		{Name: "shopify-token", Means: "Shopify token", Form: "`shpat_`, `shpca_`, `shppa_` or `shpss_` and 32 hex digits", anchors: []string{"shpat_", "shpca_", "shppa_", "shpss_"}, find: token("x32")},
		{Name: "sendgrid-key", Means: "SendGrid API key", Form: "`SG.`, 22 and 43 characters", anchors: []string{"SG."}, find: token("s22 =. s43")},
		{Name: "brevo-key", Means: "Brevo API key", Form: "`xkeysib-`, 64 hex digits and 16 characters", anchors: []string{"xkeysib-"}, find: token("h64 =- w16")},
		{Name: "openai-key", Means: "OpenAI API key", Form: "`sk-…T3BlbkFJ…` of one of the known lengths", anchors: []string{"T3BlbkFJ"}, find: findOpenAI},
		{Name: "anthropic-key", Means: "Anthropic API key", Form: "`sk-ant-api03-` or `sk-ant-admin01-`, 93 characters and `AA`", anchors: []string{"sk-ant-api03-", "sk-ant-admin01-"}, find: token("s95")},
		{Name: "huggingface-token", Means: "Hugging Face token", Form: "`hf_` and 34 letters", anchors: []string{"hf_"}, find: token("l34")},
		{Name: "groq-key", Means: "Groq API key", Form: "`gsk_` and 52 letters and digits", anchors: []string{"gsk_"}, find: token("w52")},
		{Name: "openrouter-key", Means: "OpenRouter API key", Form: "`sk-or-v1-` and 64 hex digits", anchors: []string{"sk-or-v1-"}, find: token("h64")},
		{Name: "perplexity-key", Means: "Perplexity API key", Form: "`pplx-` and 48 letters and digits", anchors: []string{"pplx-"}, find: token("w48")},
		{Name: "google-api-key", Means: "Google API key", Form: "`AIza` and 35 characters", Public: true, anchors: []string{"AIza"}, find: token("s35")},
		{Name: "google-oauth-secret", Means: "Google OAuth client secret", Form: "`GOCSPX-` and 28 characters", anchors: []string{"GOCSPX-"}, find: token("s28")},
		{Name: "azure-storage-key", Means: "Azure storage account key", Form: "`AccountKey=` and 86 characters of base64 with `==`, but not the emulator's", anchors: []string{"AccountKey="}, find: findAzureStorage},
		{Name: "digitalocean-token", Means: "DigitalOcean token", Form: "`dop_v1_`, `doo_v1_` or `dor_v1_` and 64 hex digits", anchors: []string{"dop_v1_", "doo_v1_", "dor_v1_"}, find: token("h64")},
		{Name: "databricks-token", Means: "Databricks token", Form: "`dapi` and 32 hex digits", anchors: []string{"dapi"}, find: token("h32 ?-d1")},
		{Name: "grafana-token", Means: "Grafana service account token", Form: "`glsa_` and 32 letters and digits, with the checksum", anchors: []string{"glsa_"}, find: checked("w32 =_ h8", grafanaSum)},
		{Name: "terraform-token", Means: "Terraform Cloud token", Form: "14 letters and digits, `.atlasv1.` and 60 characters or more", anchors: []string{".atlasv1."}, find: findTerraform},
		{Name: "vault-token", Means: "HashiCorp Vault token", Form: "`hvs.` or `hvb.` and 90 characters or more", anchors: []string{"hvs.", "hvb."}, find: token("s90-300")},
		{Name: "pulumi-token", Means: "Pulumi token", Form: "`pul-` and 40 hex digits", anchors: []string{"pul-"}, find: token("h40")},
		{Name: "doppler-token", Means: "Doppler token", Form: "`dp.pt.` and 43 letters and digits", anchors: []string{"dp.pt."}, find: token("w43")},
		{Name: "linear-key", Means: "Linear API key", Form: "`lin_api_` and 40 letters and digits", anchors: []string{"lin_api_"}, find: token("w40")},
		{Name: "notion-token", Means: "Notion token", Form: "`ntn_`, 11 digits and 35 letters and digits", anchors: []string{"ntn_"}, find: token("d11 w35")},
		{Name: "postman-key", Means: "Postman API key", Form: "`PMAK-`, 24 and 34 hex digits", anchors: []string{"PMAK-"}, find: token("h24 =- h34")},
		{Name: "sentry-token", Means: "Sentry token", Form: "`sntryu_` and 64 hex digits; `sntrys_eyJ…`", anchors: []string{"sntryu_", "sntrys_eyJ"}, find: findSentry},
		{Name: "newrelic-key", Means: "New Relic user key", Form: "`NRAK-` and 27 letters and digits", anchors: []string{"NRAK-"}, find: token("U27")},
		{Name: "planetscale-token", Means: "PlanetScale token", Form: "`pscale_tkn_` or `pscale_pw_` and 32 characters or more", anchors: []string{"pscale_tkn_", "pscale_pw_"}, find: token("s32-64")},
		{Name: "supabase-token", Means: "Supabase token", Form: "`sbp_` and 40 hex digits", anchors: []string{"sbp_"}, find: token("h40")},
		{Name: "dynatrace-token", Means: "Dynatrace token", Form: "`dt0c01.`, 24 and 64 characters", anchors: []string{"dt0c01."}, find: token("U24 =. U64")},
		{Name: "atlassian-token", Means: "Atlassian token", Form: "`ATATT3xFfGF0` or `ATCTT3xFfGN0` and 100 characters or more", anchors: []string{"ATATT3xFfGF0", "ATCTT3xFfGN0"}, find: token("s100-300 ?=H8")},
		{Name: "onepassword-token", Means: "1Password service account token", Form: "`ops_eyJ` and 250 characters or more", anchors: []string{"ops_eyJ"}, find: token("s250-2000")},
		{Name: "tailscale-key", Means: "Tailscale key", Form: "`tskey-auth-`, `tskey-api-` or `tskey-client-`, an ID and a secret",
			anchors: []string{"tskey-auth-", "tskey-api-", "tskey-client-"}, find: token("w10-30 =- w20-60")},
	}
	return append(kinds, namedKinds()...)
}

// crcBase62 reports whether the last six characters of a token are the CRC-32 of
// what lies between them and the prefix, in base 62. GitHub and npm do this.
func crcBase62(_, body string) bool {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random, sum := body[:len(body)-6], body[len(body)-6:]
	n := uint64(0)
	for i := range len(sum) {
		n = n*62 + uint64(strings.IndexByte(digits, sum[i]))
	}
	return n == uint64(crc32.ChecksumIEEE([]byte(random)))
}

// grafanaSum reports whether a token ends with the CRC-32 of all before, in hex,
// the low byte first.
func grafanaSum(prefix, body string) bool {
	text, sum, _ := strings.Cut(body, "_")
	want := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(prefix+text)))
	return sum == hex.EncodeToString(want)
}
