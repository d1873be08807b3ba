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

{{- define "operator.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" $tagged .Values.image.digest }}{{ else }}{{ $tagged }}{{ end -}}
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

{{/* The account that registries are provisioned as, and no other. */}}
{{- define "operator.impersonationRule" -}}
{{- with .Values.registries.serviceAccountName -}}
- apiGroups: ['']
  resources: [serviceaccounts]
  resourceNames: [{{ . | quote }}]
  verbs: [impersonate]
{{- end -}}
{{- end -}}
