{{/* The release name is the name of everything: `toolhive-operator` as documented. */}}
{{- define "operator.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: toolhive-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: mcp-registry-operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image reference whose digest, where there is one, decides what runs; the tag then only says its name. */}}
{{- define "operator.pinned" -}}
{{- if and .digest (contains "@" .image) -}}
{{- fail (printf "%s has a digest already: leave out %s, or the digest in %s" .image .digest .image) -}}
{{- end -}}
{{ .image }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "operator.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{ include "operator.pinned" (dict "image" $tagged "digest" .Values.image.digest) }}
{{- end -}}

{{- define "operator.registryImage" -}}
{{- with .Values.registries -}}
{{- if and .imageDigest (not .image) -}}
{{- fail "registries.imageDigest needs registries.image: without that, registries run the operator's own image, with image.digest" -}}
{{- end -}}
{{- if .image }}{{ include "operator.pinned" (dict "image" .image "digest" .imageDigest) }}{{ else }}{{ include "operator.image" $ }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "operator.temporalLabels" -}}
app.kubernetes.io/name: temporal-dev
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: mcp-registry-operator
{{- end -}}

{{/* The development server of this release, or the one that the values name. */}}
{{- define "operator.temporalAddress" -}}
{{- if .Values.temporal.dev.enabled -}}
{{ include "operator.name" . }}-temporal-dev.{{ .Release.Namespace }}.svc:7233
{{- else -}}
{{ required "temporal.address must name the Temporal server, as HOST:PORT" .Values.temporal.address }}
{{- end -}}
{{- end -}}

{{/* Registries that use the operator's Temporal server expect the same name in its certificate. */}}
{{- define "operator.inheritedServerName" -}}
{{- if not .Values.registryTemporal.address }}{{ .Values.temporal.tls.serverName }}{{ end -}}
{{- end -}}

{{/* What is mounted to say how to reach Temporal: where it is, and the user's own Secrets with certificates and API key. */}}
{{- define "operator.temporalSources" -}}
- secret: { name: {{ .name }} }
{{- with .access.tls.secretName }}
- secret: { name: {{ . }} }
{{- end }}
{{- if .access.apiKey.secretName }}
- secret:
    name: {{ .access.apiKey.secretName }}
    items: [{ key: {{ .access.apiKey.key | quote }}, path: apiKey }]
{{- end }}
{{- end -}}

{{/* The credentials for a Temporal namespace, as `operator.temporalSources` takes them, where they may be left out. */}}
{{- define "operator.temporalCredentials" -}}
tls: { secretName: {{ dig "tls" "secretName" "" . | quote }} }
apiKey: { secretName: {{ dig "apiKey" "secretName" "" . | quote }}, key: {{ dig "apiKey" "key" "apiKey" . | quote }} }
{{- end -}}

{{/* Credentials go to the server that they are for: those of `temporal` to another address never. */}}
{{- define "operator.temporalGroupAccess" -}}
{{- $own := fromYaml (include "operator.temporalCredentials" (default dict .group.operator)) -}}
{{- if or .group.address $own.tls.secretName $own.apiKey.secretName -}}
{{ toYaml $own }}
{{- else -}}
{{ toYaml .temporal }}
{{- end -}}
{{- end -}}

{{- define "operator.temporalGroupSecret" -}}
{{ include "operator.name" .root }}-temporal-group-{{ .group.name }}
{{- end -}}

{{/* The account that registries are provisioned as, and no other. */}}
{{- define "operator.impersonationRule" -}}
{{- with .Values.registries.serviceAccountName -}}
- apiGroups: ['']
  resources: [serviceaccounts]
  resourceNames: [{{ . | quote }}]
  verbs: [impersonate]
{{- end -}}
{{- end -}}
