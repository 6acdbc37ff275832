{{- define "ocpi-hub.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ocpi-hub.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ocpi-hub.labels" -}}
{{ include "ocpi-hub.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "ocpi-hub.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The environment of every process: settings, and where the secrets lie. */}}
{{- define "ocpi-hub.env" -}}
- name: HUB_HOST
  value: "0.0.0.0"
- name: HUB_PORT
  value: "8000"
- name: HUB_OPERATOR_HOST
  value: "0.0.0.0"
- name: HUB_OPERATOR_PORT
  value: "8001"
{{- range $name, $value := .Values.settings }}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $key := .Values.secret.keys }}
{{- if $key }}
- name: {{ $name }}_FILE
  value: /run/secrets/ocpi-hub/{{ $key }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ocpi-hub.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "ocpi-hub.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What a process may read and write: the secrets, its spool, nothing else. */}}
{{- define "ocpi-hub.mounts" -}}
- name: secrets
  mountPath: /run/secrets/ocpi-hub
  readOnly: true
- name: var
  mountPath: /srv/hub/var
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "ocpi-hub.volumes" -}}
- name: secrets
  secret:
    secretName: {{ required "secret.existingSecret must name a Secret; see docs/deploying.md" .Values.secret.existingSecret }}
    defaultMode: 0440
- name: var
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- end }}
